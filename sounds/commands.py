"""`pointsman prompts`: what callers hear, listed, replaced, spoken again."""

from __future__ import annotations

from pathlib import Path

import click

from conf import settings
from sounds import catalogue, composer, convert, languages, music, synthesis, wav
from sounds.catalogue import Catalogue, check_language, check_name


@click.group()
def prompts() -> None:
    """What callers hear: list, check, replace and synthesise prompts."""


@prompts.command("list")
@click.option("--language", default=catalogue.DEFAULT_LANGUAGE, show_default=True)
def list_prompts(language: str) -> None:
    """Each prompt with its seconds, where it comes from and its words."""
    home = settings.load().home
    known = Catalogue.of_home(home)
    for name in known.names(language):
        prompt = known.find(name, language)
        origin = "own" if prompt.path.is_relative_to(home) else "shipped"
        click.echo(f"{name:32} {prompt.seconds:6.2f} s  {origin:8} {prompt.text}")


@prompts.command()
def check() -> None:
    """Name every file that cannot be played and every prompt that a language lacks; exit code 1 if there is one."""
    known = Catalogue.of_home(settings.load().home)
    faults = [f"{fault.path}: {fault.why}" for fault in known.faults()]
    for language in sorted({*known.languages(), *languages.codes()}):
        wanted = {*known.texts(language), *(languages.of(language).names() if language in languages.codes() else ())}
        faults += [f"{language}: {name} has no audio" for name in sorted(wanted - set(known.names(language)))]
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(1)
    click.echo("every prompt can be played")


@prompts.command()
@click.argument("name")
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--text", help="Its words; they are synthesised where no recording is given.")
@click.option("--language", default=catalogue.DEFAULT_LANGUAGE, show_default=True)
@click.option("--voice", help="The synthesiser: flite or espeak-ng. The best one installed otherwise.")
def add(name: str, recording: Path | None, text: str | None, language: str, voice: str | None) -> None:
    """Put a prompt of this name before the shipped one, from a RECORDING or from its words."""
    target = settings.load().home / "prompts" / check_language(language) / f"{check_name(name)}.wav"
    if recording is not None:
        convert.convert(recording, target)
    elif text:
        wav.write(target, synthesis.prompt(text, language, synthesis.choose(language, voice)))
    else:
        raise click.UsageError("give a recording, or --text to synthesise")
    if text:
        catalogue.write_text(target.parent / catalogue.TEXTS, name, text)
    click.echo(f"{target} plays {wav.seconds(target):.2f} s")


@prompts.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=catalogue.SHIPPED)
@click.option("--language", "chosen", multiple=True, help="Only these; every language of the folder otherwise.")
@click.option("--only", multiple=True, help="Only the prompts of these names.")
@click.option("--voice", help="The synthesiser: flite or espeak-ng. The best one installed otherwise.")
def build(folder: Path, chosen: tuple[str, ...], only: tuple[str, ...], voice: str | None) -> None:
    """Synthesise the audio of every text in FOLDER/LANGUAGE/prompts.yaml; the shipped prompts and music without FOLDER."""
    for texts_file in sorted(folder.glob(f"*/{catalogue.TEXTS}")):
        language = texts_file.parent.name
        if not chosen or language in chosen:
            _build_language(texts_file, check_language(language), only, voice)
    if folder == catalogue.SHIPPED and not only:
        wav.write(music.DEFAULT, composer.music())
        click.echo(f"music: {music.DEFAULT.name}")


def _build_language(texts_file: Path, language: str, only: tuple[str, ...], voice: str | None) -> None:
    speaker = synthesis.choose(language, voice)
    built = 0
    for name, text in catalogue.read_texts(texts_file).items():
        if only and name not in only:
            continue
        wav.write(texts_file.parent / f"{check_name(name)}.wav", synthesis.prompt(text, language, speaker))
        built += 1
    for name, sound in (("tone", composer.tone), ("pause", composer.pause)):
        if not only or name in only:
            wav.write(texts_file.parent / f"{name}.wav", sound())
            built += 1
    click.echo(f"{language}: {built} prompts by {speaker.name}")
