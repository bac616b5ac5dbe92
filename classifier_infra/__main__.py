"""`python -m classifier_infra`: the commands for SageMaker endpoints and the local stand-in."""

import argparse
import sys

from classifier_infra.cli.accept_baseline import add_accept_baseline
from classifier_infra.cli.autoscale import add_autoscale
from classifier_infra.cli.cost import add_cost
from classifier_infra.cli.delete import add_delete
from classifier_infra.cli.deploy import add_deploy
from classifier_infra.cli.doctor import add_doctor
from classifier_infra.cli.promote import add_promote, add_rollback
from classifier_infra.cli.serve import add_serve
from classifier_infra.cli.status import add_status
from classifier_infra.errors import CommandError

_COMMANDS = (
    add_serve,
    add_cost,
    add_deploy,
    add_status,
    add_autoscale,
    add_promote,
    add_rollback,
    add_delete,
    add_doctor,
    add_accept_baseline,
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier_infra", description="The classifier's endpoint.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in _COMMANDS:
        add_command(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
