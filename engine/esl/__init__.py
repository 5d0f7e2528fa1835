"""The wire to FreeSWITCH: the event socket's bytes, its links, and what both kinds of them can do."""
