"""A switch made of software: FreeSWITCH's side of the event socket, with callers and desk phones that need no telephone.

It is a peer of the engine, not a mock of it: a process of its own, real sockets in both directions, and the order of replies
and events as FreeSWITCH has them. Where the two differ FreeSWITCH is right. Places in FreeSWITCH's source are cited as in
`chan` (switch_channel.c), `ivr` (switch_ivr.c), `mes` (mod_event_socket.c), `sess` (switch_core_session.c).
"""
