"""``dropglow schema``: help editors to complete and to check.

Prints one JSON Schema (draft 2020-12) and nothing else.
"""

from __future__ import annotations

import click


@click.command()
@click.option("--rules", "of_rules", is_flag=True, help="Of a rule file instead of dropglow.yaml.")
def command(*, of_rules: bool) -> None:
    """Print the JSON Schema of the configuration, for editors.

    Write it into a file and name that in the first line of the YAML file:
    # yaml-language-server: $schema=dropglow.schema.json
    """
    from dropglow.cli.tables import print_json
    from dropglow.rules.configuration import configuration_schema
    from dropglow.rules.schema import rules_schema

    print_json(rules_schema() if of_rules else configuration_schema())
