"""What the numbers of the conformance tests do, on the virtual switch and on FreeSWITCH alike."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

Action = tuple[str, str]

PASSWORD = "conformance"
PLAIN, RESUMING, NOBODY, SECOND_HOST, MORE_BEHIND = "5000", "5001", "5002", "5003", "5004"
AGENT, RINGING, BUSY, BRIEF = "6000", "6001", "6002", "6003"


def numbers(engine: int, nobody: int) -> dict[str, list[Action]]:
    """Number -> actions. `engine` is the port of the test's controller, `nobody` one where none listens."""
    socket = ("socket", f"127.0.0.1:{engine} async full")
    dead = f"127.0.0.1:{nobody}"
    return {
        PLAIN: [socket],
        RESUMING: [("set", "socket_resume=true"), socket, ("set", "recovered=yes"), socket, ("hangup", "USER_BUSY")],
        NOBODY: [("socket", f"{dead} async full"), ("answer", ""), ("playback", _TONE), ("hangup", _FAILURE)],
        SECOND_HOST: [("socket", f"{dead}|127.0.0.1:{engine} async full")],
        MORE_BEHIND: [("answer", ""), socket, ("playback", _TONE), ("hangup", _FAILURE)],
        AGENT: [("answer", ""), ("park", "")],
        RINGING: [("ring_ready", ""), ("park", "")],
        BUSY: [("hangup", "USER_BUSY")],
        BRIEF: [("answer", ""), ("playback", "tone_stream://%(600,0,440)"), ("hangup", "NORMAL_CLEARING")],
    }


_TONE = "tone_stream://%(300,0,440)"
_FAILURE = "NORMAL_TEMPORARY_FAILURE"


def freeswitch_xml(control: int, plan: dict[str, list[Action]]) -> str:
    """The whole configuration of a FreeSWITCH that knows nothing but these numbers and its event socket."""
    modules = (
        "event_socket",
        "commands",
        "dptools",
        "dialplan_xml",
        "loopback",
        "sndfile",
        "tone_stream",
        "native_file",
    )
    loads = "".join(f'<load module="mod_{name}"/>' for name in modules)
    extensions = "".join(
        f'<extension name="{number}"><condition field="destination_number" expression="^{number}$">'
        + "".join(f"<action application={quoteattr(name)} data={quoteattr(data)}/>" for name, data in actions)
        + "</condition></extension>"
        for number, actions in plan.items()
    )
    return f"""<document type="freeswitch/xml">
  <section name="configuration">
    <configuration name="switch.conf"><settings>
      <param name="max-sessions" value="500"/><param name="sessions-per-second" value="500"/>
      <param name="loglevel" value="warning"/><param name="colorize-console" value="false"/>
    </settings></configuration>
    <configuration name="modules.conf"><modules>{loads}</modules></configuration>
    <configuration name="event_socket.conf"><settings>
      <param name="nat-map" value="false"/><param name="listen-ip" value="127.0.0.1"/>
      <param name="listen-port" value="{control}"/><param name="password" value="{PASSWORD}"/>
    </settings></configuration>
    <configuration name="loopback.conf"/>
  </section>
  <section name="dialplan"><context name="default">{extensions}</context></section>
</document>
"""
