"""Settings, database, migrations, FreeSWITCH templates and the demo company: what every other package stands on."""
