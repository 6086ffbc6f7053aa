"""What the engine offers an action while a step runs: ``actions.contract.ActionContext``."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from awstoe.actions.contract import Command, NestedRun, Result
from awstoe.engine.attempt import Attempt
from awstoe.engine.observers import RunLog
from awstoe.engine.output import Ends, OutputCapture, Spool
from awstoe.engine.reboots import StepReboots
from awstoe.engine.resolver import LoopPosition, StepResolver
from awstoe.engine.step_resources import StepResources
from awstoe.errors import ActionError, HostError, Interrupted, RecordError, TimeoutExceeded
from awstoe.expressions import conditions
from awstoe.expressions.conditions import Condition, Evaluation, Facts
from awstoe.expressions.values import Value
from awstoe.host.files import temporary
from awstoe.host.process import children, environment
from awstoe.host.process.interruption import Interruption

if TYPE_CHECKING:
    from awstoe.engine.quotes import Quotes

RunDocument = Callable[[NestedRun, int | None], Mapping[str, Value]]
"""Runs a nested document for an iteration (None without a loop) and returns its summary."""


class StepServices(NamedTuple):
    """What all attempts at a step share."""

    interruption: Interruption
    facts: Facts
    resolver: StepResolver
    run_document: RunDocument
    resources: StepResources
    """Keeps track of processes that are started and of temporary folders."""
    stdout_limit: int
    """Bytes of standard output kept as an output value."""
    reboots: StepReboots


class StepContext:
    """What an action sees of the run: in one attempt, and in one iteration of a loop.

    Args:
        services: What all attempts at the step share.
        attempt: The attempt.
        log: Where the action's messages go.
        loop: The iteration; None without a loop.
    """

    def __init__(
        self,
        services: StepServices,
        attempt: Attempt,
        log: RunLog,
        loop: LoopPosition | None = None,
    ) -> None:
        self.log = log
        self._services = services
        self._attempt = attempt
        self._loop = loop

    def checkpoint(self) -> None:
        self._services.interruption.check()
        self._attempt.check_time()

    def execute(self, command: Command) -> Result:
        log = self.log
        attempt = self._attempt
        stdout_limit = self._services.stdout_limit
        shown = " ".join(command.argv[1:])
        log.info(
            f"CmdExecution: Preparing object for command {command.logged_as}"
            f" with arguments [{shown}]"
        )
        log.info(
            f"CmdExecution: Starting execution of command with arguments [{' '.join(command.argv)}]"
        )
        log.flush()
        capture = OutputCapture(stdout_limit)
        out, err = Ends(), Ends()

        def on_stdout(data: bytes) -> None:
            capture.feed(data)
            out.feed(data)
            log.stdout(data)

        with Spool() as spool:

            def on_stderr(data: bytes) -> None:
                spool.feed(data)
                err.feed(data)
                log.live_stderr(data)

            try:
                end = children.run(
                    command.argv,
                    environment=environment.of_this_run(),
                    on_stdout=on_stdout,
                    on_stderr=on_stderr,
                    deadline=attempt.deadline,
                    interruption=self._services.interruption,
                    on_start=self._services.resources.process_started,
                    on_late=log.late,
                )
            except RecordError:
                raise
            except HostError as error:
                raise ActionError(error.message, hint=error.hint) from error
            except TimeoutExceeded as error:
                error.stderr_tail, error.stdout_tail, error.stdout_first = _quotes(
                    out, err, None, command.script
                )[:3]
                self._log_stop(error.message, spool)
                raise
            except Interrupted:
                self._log_stop("a signal requests the run to stop", spool)
                raise
            finally:
                log.stdout_end()
                attempt.printed = capture.text
                attempt.capped = attempt.capped or capture.truncated
            self._log_end(end.exit_code, spool, at_end_of_file=not end.held_open)
        if end.left:
            log.warning(f"these processes of the step could not be ended: {', '.join(end.left)}")
        if end.held_open:
            log.warning(
                "the step has ended, but a process it left in the background keeps its output"
                " open; continuing without waiting for it (redirect its output to avoid the wait)"
            )
        if capture.truncated:
            log.warning(
                f"the step printed more than {stdout_limit} bytes: its stdout output value"
                " is cut there; the log has all of it"
            )
        return _result(command, end, capture, out, err)

    def _log_stop(self, reason: str, spool: Spool) -> None:
        """Log what a program printed before it was stopped: it may show why the program hung."""
        self.log.stdout_end()
        self.log.info(f"CmdExecution: [ ERROR ] Command execution was stopped: {reason}")
        self.log.stderr(spool.chunks())

    def _log_end(self, exit_code: int, spool: Spool, *, at_end_of_file: bool) -> None:
        log = self.log
        if at_end_of_file:
            log.info("CmdExecution: Terminating read operation on STDOUT pipe - EOF")
        log.info("CmdExecution: Command execution has been completed")
        if exit_code == 0:
            log.info("CmdExecution: Command execution was completed successfully")
        else:
            log.info("CmdExecution: [ ERROR ] Command execution has resulted in an error")
        log.stderr(spool.chunks())
        log.info(f"CmdExecution: ExitCode {exit_code}")

    def temporary_folder(self) -> str:
        folder = temporary.make_folder()
        self._services.resources.folder_made(folder)
        return folder

    def remove_folder(self, path: str) -> None:
        temporary.remove_folder(path)

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        return self._services.run_document(nested, self._attempt.iteration)

    def holds(self, condition: Condition) -> Evaluation:
        def resolve(text: str) -> str:
            return self._services.resolver.resolve_text(text, self._loop)

        return conditions.evaluate(condition, resolve, self._services.facts)

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        self._services.reboots.request(delay_seconds, run_again=run_again)


def _result(
    command: Command, end: children.ProcessEnd, capture: OutputCapture, out: Ends, err: Ends
) -> Result:
    if end.exit_code == 0:
        return Result(0, capture.text, "", stdout_is_cut=capture.truncated)
    quotes = _quotes(out, err, end.exit_code, command.script)
    return Result(
        end.exit_code,
        capture.text,
        quotes.stderr_tail,
        stdout_is_cut=capture.truncated,
        stdout_tail=quotes.stdout_tail,
        stdout_first=quotes.stdout_first,
        cause=quotes.cause,
        by_signal=end.by_signal,
        out_of_memory=end.out_of_memory,
    )


def _quotes(out: Ends, err: Ends, exit_code: int | None, script: str) -> "Quotes":
    from awstoe.engine.quotes import quotes  # noqa: PLC0415 - saves start-up time: most steps succeed

    return quotes(out.parts, err.parts, exit_code=exit_code, script=script)
