"""What was begun and its end never written down, because the process that knew of it died over it: closed with its call.

A process writes a fact down before it does anything else with it, so what another one takes over from may be some
milliseconds older than what the dead one had begun. That is derived here from the facts there are, again whenever a fact of
the call arrives, so a real end that comes late wins.
"""

from __future__ import annotations

from typing import Final

FAILED: Final = "failed"
"""The result of an entry whose end nobody knows."""

STEPS: Final = """
UPDATE ivr_step s SET exit = 'lost', left_at = least(c.ended_at,
    (SELECT min(n.entered_at) FROM ivr_step n WHERE n.call_id = s.call_id AND n.entered_at > s.entered_at))
FROM call c
WHERE c.id = ANY (%s::uuid[]) AND c.ended_at IS NOT NULL AND s.call_id = c.id AND (s.left_at IS NULL OR s.exit = 'lost')"""

ENTRIES: Final = """
UPDATE queue_entry e SET result = 'failed', left_at = least(c.ended_at,
    (SELECT min(n.entered_at) FROM queue_entry n WHERE n.call_id = e.call_id AND n.entered_at > e.entered_at))
FROM call c
WHERE c.id = ANY (%s::uuid[]) AND c.ended_at IS NOT NULL AND e.call_id = c.id AND (e.left_at IS NULL OR e.result = 'failed')"""

OFFERS: Final = """
UPDATE offer o SET result = 'failed', end_known = false, ended_at = least(c.ended_at,
    (SELECT min(n.offered_at) FROM offer n WHERE n.call_id = o.call_id AND n.offered_at > o.offered_at),
    (SELECT min(n.offered_at) FROM offer n WHERE n.agent_id = o.agent_id AND n.offered_at > o.offered_at))
FROM call c
WHERE c.id = ANY (%s::uuid[]) AND c.ended_at IS NOT NULL AND o.call_id = c.id AND o.offered_at IS NOT NULL
    AND (o.ended_at IS NULL OR NOT o.end_known)"""
"""Those that Redis forgot before their owner had heard of them."""
