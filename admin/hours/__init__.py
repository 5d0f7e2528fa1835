"""Set-up › Opening hours: calendars as they stand, in words and as forms, what changes them, and whether it is open."""
