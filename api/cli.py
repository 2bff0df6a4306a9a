"""The command group: each command is imported when it runs, so that `dvsa --help` loads neither torch nor FAISS."""

from importlib import import_module

import click

COMMANDS = {
    "index": ("api.index_command:index", "Index photos, texts and datasets into a collection."),
    "search": ("api.search_command:search", "Find photos by text, or sentences by photo."),
    "caption": ("api.caption_command:caption", "Say what a photo and its regions show."),
    "align": ("api.align_command:align", "Show which word of a sentence went to which region of a photo."),
    "train": ("api.train_command:train", "Train the model."),
    "evaluate": ("api.evaluate_command:evaluate", "Measure the model on a dataset."),
    "verify": ("api.verify_command:verify", "Check that a collection is whole."),
    "backup": ("api.backup_command:backup", "Write all collections into one file."),
    "restore": ("api.backup_command:restore", "Fill an empty home and catalogue from a backup."),
    "benchmark": ("api.benchmark_command:benchmark", "Measure speed, memory and recall of the engine."),
    "serve": ("api.serve_command:serve", "Serve the collections over HTTP, with a web page."),
    "worker": ("api.worker_command:worker", "Do the jobs of the HTTP service, beside those that dvsa serve does."),
    "keys": ("api.keys_command:keys", "Make, list and revoke API keys of the service."),
    "demo": ("api.demo_command:demo", "Index the example photos, search them and draw what was found."),
}
"""Where each command is, and its line in `dvsa --help`."""


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dvsa")
def dvsa() -> None:
    """Search photos by text and sentences by photo; every hit shows which word went to which region.

    Collections are kept in the user's data folder, or in the folder that DVSA_HOME names.
    """
