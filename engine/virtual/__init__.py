"""A switch made of software: FreeSWITCH's side of the event socket, with callers and desk phones that need no telephone.

It is a peer of the engine, not a mock of it: a process of its own, real sockets in both directions, and the order of replies
and events as FreeSWITCH has them. Where the two differ FreeSWITCH is right. Places in FreeSWITCH's source are cited as in
`chan` (switch_channel.c), `ivr` (switch_ivr.c), `mes` (mod_event_socket.c), `sess` (switch_core_session.c).

What tests/conformance asks of both holds on both. The differences that are known:

- Sound: nothing is heard. Prompts take their length, recordings are silence of the right length, `record` hears as much speech
  as the caller's plan says, codecs and media events are not there.
- Recordings are written when they end, so one that runs dies with the switch; FreeSWITCH's is kept as far as it came.
- Telephones and callers are made here. SIP and trunks are not: `user/` rings a phone of its list, any other
  endpoint an outside number that picks up.
- `uuid_bridge` upon CHANNEL_ANSWER always works. In FreeSWITCH it races with the `originate` that still runs, and 1 caller in
  100 is hung up with ORIGINATOR_CANCEL; the engine rings agents by `bridge`, which has no such race.
- Time: events and replies leave at once. FreeSWITCH's listener looks every 20 ms, its `uuid_bridge` takes 40 ms, a message to a
  bridged leg up to 200 ms, `linger N` ends 1.4 to 2.7 s after the hang-up where N is 1 or 2 and here N + 0.5 s; and here the
  clock may be faster than the wall's.
- Load: there is no bound on sessions or calls a second, and no listener is cut off for reading slowly, as FreeSWITCH's is after
  100,000 events queued and 500 lost.
- Text: what has `${` in it is expanded from variables alone; there are no functions, so no API is ever run by it.
- `socket` without `async` queues its commands all the same. Events are plain or JSON, not XML.
- Of applications, APIs and events there are those that a controller of calls uses; others are refused as unknown ones are.
"""
