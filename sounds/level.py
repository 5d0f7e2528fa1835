"""Making a recording fit for the telephone: rate, band, loudness, silence, edges.

Everything here takes and gives samples as signed 16-bit little-endian bytes in mono and does no I/O. It is plain
arithmetic that keeps a core busy: give long recordings to `sounds.convert`, which runs it beside the event loop.
"""

from __future__ import annotations

import array
import audioop
import math
import sys
from itertools import pairwise

from sounds.wav import RATE

LOUDNESS_DBFS = -20.0
"""The mean power of what is heard (silences left out), relative to a full-scale square wave."""

PEAK_DBFS = -1.5
"""No sample is above this."""

PASS_HZ = 3850
"""Above this nothing is kept: the telephone's band ends here, and at 8 kHz it would come back as another tone."""

SIBILANT_HZ = 6000
SHIFT_HZ = 3000
"""What a synthetic voice has above 6 kHz lands between 3 kHz and the end of the band. Lower, or louder, it turns "sixty" into
"shixty"; without it "hours" is heard as "hour"."""

_TAPS = 255
_SHORT_TAPS = 33
_STRETCH = 16 * 1024
_BLOCK = RATE // 50
"""20 ms, the window in which loudness and silence are measured."""


def resample(samples: bytes, rate: int) -> bytes:
    """From `rate` to 8 kHz, low-passed first where the rate is above ours."""
    while rate >= 4 * RATE and rate % 2 == 0:
        # Half the rate at a time: far above our band a short filter will do, and leaves the long one half the work.
        samples = to_bytes(_values(_low_pass(samples, rate, rate / 4, _SHORT_TAPS))[::2])
        rate //= 2
    if rate > RATE:
        samples = _low_pass(samples, rate, PASS_HZ, _TAPS * max(1, round(rate / 16000)) | 1)
    if rate != RATE:
        samples, _ = audioop.ratecv(samples, 2, 1, rate, RATE, None)
    return samples


def even(samples: bytes, loudness_dbfs: float = LOUDNESS_DBFS) -> bytes:
    """Without offset, at `loudness_dbfs`, its peaks rounded off at `PEAK_DBFS`. Silence is left as it is."""
    if not samples:
        return samples
    samples = audioop.bias(samples, 2, -audioop.avg(samples, 2))
    heard = _heard_rms(samples)
    if heard < 8:
        return samples
    factor = 10 ** (loudness_dbfs / 20) * 32767 / heard
    return _limit(samples, factor, 10 ** (PEAK_DBFS / 20) * 32767)


def trim(samples: bytes, *, lead: float, tail: float, threshold_dbfs: float = -50.0) -> bytes:
    """Cut the silence off both ends, leaving `lead` and `tail` seconds of it; nothing is left of pure silence."""
    blocks = _block_rms(samples)
    loud = [position for position, rms in enumerate(blocks) if rms > 10 ** (threshold_dbfs / 20) * 32767]
    if not loud:
        return b""
    begin = max(0, loud[0] * _BLOCK - round(lead * RATE))
    end = (loud[-1] + 1) * _BLOCK + round(tail * RATE)
    return samples[begin * 2 : end * 2]


def lower_sibilants(samples: bytes, rate: int, strength: float = 0.4) -> bytes:
    """Bring what lies above 6 kHz down by 3 kHz and add it, at the same `rate`.

    There a voice has nothing but its s, z, sh and f, and a synthetic one has them nowhere else: in the telephone's band
    "minutes" would end as "minute" does. Recordings of people need none of this.
    """
    if rate < 2 * (SIBILANT_HZ + 1000):
        return samples
    high = audioop.add(samples, audioop.mul(_low_pass(samples, rate, SIBILANT_HZ, _TAPS), 2, -1), 2)
    values = _values(high)
    turn = 2 * math.pi * SHIFT_HZ / rate
    for position, value in enumerate(values):
        values[position] = round(value * strength * math.cos(turn * position))
    return audioop.add(samples, _low_pass(to_bytes(values), rate, PASS_HZ, _TAPS), 2)


def brighten(samples: bytes, tilt: float = 0.4) -> bytes:
    """Raise the treble over the bass (7 dB from end to end as it stands), so that consonants stay clear in the telephone's
    narrow band: each sample less `tilt` times the one before."""
    before = bytes(2) + samples[:-2]
    return audioop.add(audioop.mul(samples, 2, 0.8), audioop.mul(before, 2, -0.8 * tilt), 2)


def fade(samples: bytes, seconds: float = 0.006) -> bytes:
    """Raise the first and lower the last moment along half a cosine, so that no edge clicks."""
    values = _values(samples)
    length = min(round(seconds * RATE), len(values) // 2)
    for position in range(length):
        factor = 0.5 - 0.5 * math.cos(math.pi * (position + 0.5) / length)
        values[position] = round(values[position] * factor)
        values[-1 - position] = round(values[-1 - position] * factor)
    return to_bytes(values)


def to_bytes(values: array.array[int]) -> bytes:
    """Samples from an array of typecode `h` in the machine's own order."""
    if sys.byteorder == "big":
        values = array.array("h", values)
        values.byteswap()
    return values.tobytes()


def loudness(samples: bytes) -> float:
    """The mean power of what is heard, in dB relative to a full-scale square wave; -inf for silence."""
    heard = _heard_rms(samples)
    return 20 * math.log10(heard / 32767) if heard else -math.inf


def peak(samples: bytes) -> float:
    """The highest sample in dB relative to full scale; -inf for silence."""
    highest = audioop.max(samples, 2)
    return 20 * math.log10(highest / 32767) if highest else -math.inf


def _values(samples: bytes) -> array.array[int]:
    values = array.array("h", samples)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _low_pass(samples: bytes, rate: int, pass_hz: float, taps: int) -> bytes:
    """A windowed-sinc filter. It is run tap by tap over the whole recording, each pass one multiplication and one addition
    in C, with 32-bit samples so that the roundings do not add up to a hiss."""
    middle = taps // 2
    cut = pass_hz / rate
    weights = []
    for tap in range(taps):
        distance = tap - middle
        sinc = 2 * cut if distance == 0 else math.sin(2 * math.pi * cut * distance) / (math.pi * distance)
        window = (
            0.42 - 0.5 * math.cos(2 * math.pi * (tap + 0.5) / taps) + 0.08 * math.cos(4 * math.pi * (tap + 0.5) / taps)
        )
        weights.append(sinc * window)
    whole = sum(weights)
    # Half scale, since a filtered signal may swing above the one it was made of.
    weights = [weight / whole / 2 for weight in weights]
    silence = bytes(middle * 4)
    padded = silence + audioop.lin2lin(samples, 2, 4) + silence
    # A stretch at a time: it stays in the processor's cache, and other threads get their turn.
    stretches = []
    for begin in range(0, len(samples) * 2, _STRETCH):
        length = min(_STRETCH, len(samples) * 2 - begin)
        filtered = bytes(length)
        for tap, weight in enumerate(weights):
            at = begin + tap * 4
            filtered = audioop.add(filtered, audioop.mul(padded[at : at + length], 4, weight), 4)
        stretches.append(audioop.mul(audioop.lin2lin(filtered, 4, 2), 2, 2.0))
    return b"".join(stretches)


def _block_rms(samples: bytes) -> list[int]:
    step = _BLOCK * 2
    return [audioop.rms(samples[begin : begin + step], 2) for begin in range(0, len(samples) - step + 1, step)]


def _heard_rms(samples: bytes) -> float:
    """The power of speech without its pauses: of the blocks within 30 dB of the loudest tenth. What is far above that tenth,
    such as a knock on the microphone, counts for no more than 3 dB above it."""
    blocks = sorted(_block_rms(samples), reverse=True) or [audioop.rms(samples, 2)]
    loud = blocks[len(blocks) // 10]
    heard = [min(rms, loud * 1.4) for rms in blocks if rms > loud * 10 ** (-30 / 20)] or blocks
    return math.sqrt(sum(rms * rms for rms in heard) / len(heard))


def _limit(samples: bytes, factor: float, ceiling: float) -> bytes:
    """Multiply by `factor`, less wherever the result would pass `ceiling`; the gain moves in straight lines over 5 ms."""
    if audioop.max(samples, 2) * factor <= ceiling:
        return audioop.mul(samples, 2, factor)
    values = _values(samples)
    step = RATE // 200
    gains = []
    for begin in range(0, len(values), step):
        highest = max(map(abs, values[begin : begin + step])) * factor
        gains.append(factor if highest <= ceiling else factor * ceiling / highest)
    # A knot lies between two blocks and takes the smaller gain, so that no point on either line is above its block's own.
    knots = [gains[0], *(min(pair) for pair in pairwise(gains)), gains[-1]] if gains else []
    result = array.array("h", bytes(len(values) * 2))
    for block, begin in enumerate(range(0, len(values), step)):
        first, last = knots[block], knots[block + 1]
        for position in range(begin, min(begin + step, len(values))):
            gain = first + (last - first) * (position - begin) / step
            result[position] = round(values[position] * gain)
    return to_bytes(result)
