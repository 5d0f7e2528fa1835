"""Where a call goes before anything is said: numbers, hours, destinations, and what FreeSWITCH is told to do with a call."""
