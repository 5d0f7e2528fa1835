"""What callers hear: prompts, spoken numbers and times, music on hold, conversion of recordings.

`catalogue` finds a prompt's file by its name and language, `spoken` puts numbers, times and dates together from prompts,
`convert` makes a telephone's recording of whatever a person uploads, `apart` does so in a process of its own, `library` keeps
the installation's own prompts with their versions, `music` is heard while waiting, and `synthesis` speaks texts where a machine
has a synthesiser. Everything played is 8 kHz 16-bit mono WAV (`wav`).

Replacing a prompt: on its page in the admin, by `pointsman prompts add NAME RECORDING`, or by putting a file at
`HOME/prompts/en/NAME.wav`, which becomes a version as soon as it is replaced itself. Nothing need be restarted.

On several machines `HOME/prompts` and `HOME/music` are folders that all of them share, by whatever means they share
`HOME/recordings`: the admin writes there, engines look there once a second, and FreeSWITCH reads from there.

Adding a language, here Swedish (Danish, Polish and Chinese are examples of all of this):

1. `sv/prompts.yaml` in `HOME/prompts` (or in this package, to ship it): the names of `en/prompts.yaml` with Swedish texts.
   A text without a closing mark is a fragment that is joined to others, so it is cut close. A name that is missing is
   heard in the default language.
2. `pointsman prompts build HOME/prompts --language sv` synthesises them; recordings replace them one by one.
3. `languages/sv.py` with `LANGUAGE`, an object with the methods of `languages.Language`; those that most languages say alike
   are in `languages._shared.Common`. Word order is the module's own ("five and twenty", "half past" before the hour): it may
   need names that English lacks, which are then prompts of that language alone. Without a module, numbers and times are put
   together as in English, from whatever prompts there are.
4. `pointsman prompts check` names what is still missing; `tests/sounds/test_spoken.py` holds that every name the module
   can give has its audio.
"""
