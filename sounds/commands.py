"""`pointsman prompts`: what callers hear, listed, replaced, spoken again."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from conf import database, installation, settings
from sounds import apart, catalogue, composer, languages, music, synthesis, wav
from sounds.catalogue import Catalogue, check_language, check_name
from sounds.library import Library, Origin


@click.group()
def prompts() -> None:
    """Prompts: list, check, replace and synthesise them."""


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
    """Let callers hear a prompt of this name, from a RECORDING or from its words; the version before is kept.

    Where the installation's database is not to be had, the file alone is put into its place.
    """
    found = settings.load()
    target = found.home / "prompts" / check_language(language) / f"{check_name(name)}.wav"
    with tempfile.TemporaryDirectory(prefix="pointsman-prompt-") as folder:
        made, was = Path(folder, "prompt.wav"), ""
        if recording is not None:
            was = apart.convert(recording, made).was
        elif text:
            apart.speak(text, language, made, voice=voice)
        else:
            raise click.UsageError("give a recording, or --text to synthesise")
        with _library(found) as library:
            if library is None:
                wav.write(target, wav.read(made))
                if text:
                    catalogue.write_text(target.parent / catalogue.TEXTS, name, text)
            else:
                origin: Origin = "upload" if recording is not None else "speech"
                at = datetime.now(UTC)
                library.keep(name, language, made, author=getpass.getuser(), at=at, origin=origin, text=text, was=was)
    click.echo(f"{target} plays {wav.seconds(target):.2f} s")


@prompts.command()
@click.argument("name")
@click.option("--language", default=catalogue.DEFAULT_LANGUAGE, show_default=True)
def versions(name: str, language: str) -> None:
    """Each version of an own prompt, the newest first; * marks the one that callers hear."""
    with _library(settings.load()) as library:
        for made in _needed(library).versions(check_name(name), check_language(language)):
            mark = "*" if made.heard else " "
            when = made.made_at.astimezone().strftime("%Y-%m-%d %H:%M")
            click.echo(
                f"{mark} {made.version:4} {made.seconds:6.2f} s  {when}  {made.author:16} {made.origin:8} {made.text}"
            )


@prompts.command("roll-back")
@click.argument("name")
@click.argument("version", type=click.IntRange(min=0))
@click.option("--language", default=catalogue.DEFAULT_LANGUAGE, show_default=True)
def roll_back(name: str, version: int, language: str) -> None:
    """Let callers hear VERSION of a prompt again; 0 is the one that comes with Pointsman."""
    with _library(settings.load()) as library:
        _needed(library).roll_back(name, language, version or None, at=datetime.now(UTC))
    click.echo(f"callers hear {f'version {version}' if version else 'the shipped one'} of {name} again")


@prompts.command("music")
@click.argument("recordings", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default=music.DEFAULT_NAME, show_default=True, help="The music that the pieces belong to.")
@click.option("--language", default="", help="For callers of this language alone.")
def add_music(recordings: tuple[Path, ...], name: str, language: str) -> None:
    """Add RECORDINGS to the music on hold; without any, list what there is."""
    home = settings.load().home
    for recording in recordings:
        click.echo(music.add(home, name, language, recording))
    if not recordings:
        for stream, folder in music.streams(home).items():
            for path in music.playable(folder):
                click.echo(f"{stream:32} {wav.seconds(path):7.1f} s  {path}")


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


@contextmanager
def _library(found: settings.Settings) -> Iterator[Library | None]:
    """The library of the installation, None where its database is not known."""
    try:
        url = installation.complete(found).database_url
    except installation.NotRunning:
        url = found.database_url
    if url is None:
        yield None
        return
    db = database.connect(url, size=2, name="pointsman prompts")
    try:
        with db.connection_context():
            yield Library(db, found.home)
    finally:
        db.close_all()


def _needed(library: Library | None) -> Library:
    if library is None:
        raise installation.NotRunning(
            "versions are in the database: set POINTSMAN_DATABASE_URL, or start `pointsman up`"
        )
    return library
