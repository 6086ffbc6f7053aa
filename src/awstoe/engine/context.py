"""What the engine offers an action while a step runs: ``actions.contract.ActionContext``."""

import time
from collections.abc import Callable, Mapping

from awstoe.actions.contract import Command, NestedRun, Result
from awstoe.engine.observers import RunLog
from awstoe.engine.output import OutputCapture, Spool, Tail
from awstoe.engine.reboots import StepReboots
from awstoe.engine.resolver import StepResolver
from awstoe.engine.step_resources import StepResources
from awstoe.errors import ActionError, HostError, Interrupted, RecordError, TimeoutExceeded
from awstoe.expressions import conditions
from awstoe.expressions.conditions import Condition, Evaluation, Facts
from awstoe.expressions.values import Value
from awstoe.host.files import temporary
from awstoe.host.process import children, environment
from awstoe.host.process.interruption import Interruption

RunDocument = Callable[[NestedRun], Mapping[str, Value]]


class StepContext:
    """One step's view of the run.

    Args:
        log: Where the step's messages go.
        interruption: Tells when a signal asks the run to stop.
        facts: What conditions can ask of the machine.
        resolver: Resolves references.
        run_document: Runs a nested document.
        traces: Keeps the processes that are started and the temporary folders.
        stdout_limit: Bytes kept of standard output as an output value.
        reboots: Takes the step's wish for a reboot.
    """

    def __init__(
        self,
        log: RunLog,
        interruption: Interruption,
        facts: Facts,
        resolver: StepResolver,
        *,
        run_document: RunDocument,
        traces: StepResources,
        stdout_limit: int,
        reboots: StepReboots,
    ) -> None:
        self.log = log
        self.deadline: float | None = None
        """When the attempt's time is over, by ``time.monotonic``."""
        self.capped = False
        """Whether an output value of this attempt was cut."""
        self.printed: str | None = None
        """What the last program of this attempt printed, also when it failed."""
        self._interruption = interruption
        self._facts = facts
        self._resolver = resolver
        self._run_document = run_document
        self._traces = traces
        self._stdout_limit = stdout_limit
        self._reboots = reboots

    def checkpoint(self) -> None:
        """See ``ActionContext``."""
        self._interruption.check()
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise TimeoutExceeded("the time is over")

    def execute(self, command: Command) -> Result:
        """See ``ActionContext``."""
        log = self.log
        shown = " ".join(command.argv[1:])
        log.info(
            f"CmdExecution: Preparing object for command {command.logged_as}"
            f" with arguments [{shown}]"
        )
        log.info(
            f"CmdExecution: Starting execution of command with arguments [{' '.join(command.argv)}]"
        )
        log.flush()
        capture = OutputCapture(self._stdout_limit)
        tail = Tail()

        def on_stdout(data: bytes) -> None:
            capture.feed(data)
            log.stdout(data)

        with Spool() as spool:

            def on_stderr(data: bytes) -> None:
                spool.feed(data)
                tail.feed(data)
                log.live_stderr(data)

            try:
                end = children.run(
                    command.argv,
                    environment=environment.of_this_run(),
                    on_stdout=on_stdout,
                    on_stderr=on_stderr,
                    deadline=self.deadline,
                    interruption=self._interruption,
                    on_start=self._traces.process_started,
                    on_late=log.late,
                )
            except RecordError:
                raise
            except HostError as error:
                raise ActionError(error.message, hint=error.hint) from error
            except TimeoutExceeded as error:
                error.stderr_tail = tail.text
                self._log_stop(error.message, spool)
                raise
            except Interrupted:
                self._log_stop("a signal asks the run to stop", spool)
                raise
            finally:
                log.stdout_end()
                self.printed = capture.text
                self.capped = self.capped or capture.truncated
            self._log_end(end.exit_code, spool)
        if end.left:
            log.warning(f"these processes of the step could not be ended: {', '.join(end.left)}")
        if end.held_open:
            log.warning(
                "the step has ended, but a process it left in the background keeps its output"
                " open; going on without waiting for it (redirect its output to avoid the wait)"
            )
        if capture.truncated:
            log.warning(
                f"the step printed more than {self._stdout_limit} bytes: its stdout output value"
                " is cut there, the log has all of it"
            )
        return Result(end.exit_code, capture.text, tail.text, stdout_is_cut=capture.truncated)

    def _log_stop(self, reason: str, spool: Spool) -> None:
        """What a program said before it was stopped is what tells why it hung."""
        self.log.stdout_end()
        self.log.info(f"CmdExecution: [ ERROR ] Command execution was stopped: {reason}")
        self.log.stderr(spool.chunks())

    def _log_end(self, exit_code: int, spool: Spool) -> None:
        log = self.log
        log.info("CmdExecution: Terminating read operation on STDOUT pipe - EOF")
        log.info("CmdExecution: Command execution has been completed")
        if exit_code == 0:
            log.info("CmdExecution: Command execution was completed successfully")
        else:
            log.info("CmdExecution: [ ERROR ] Command execution has resulted in an error")
        log.stderr(spool.chunks())
        log.info(f"CmdExecution: ExitCode {exit_code}")

    def temporary_folder(self) -> str:
        """See ``ActionContext``."""
        folder = temporary.make_folder()
        self._traces.folder_made(folder)
        return folder

    def remove_folder(self, path: str) -> None:
        """See ``ActionContext``."""
        temporary.remove_folder(path)

    def run_document(self, nested: NestedRun) -> Mapping[str, Value]:
        """See ``ActionContext``."""
        return self._run_document(nested)

    def holds(self, condition: Condition) -> Evaluation:
        """See ``ActionContext``."""
        return conditions.evaluate(condition, self._resolver.text, self._facts)

    def request_reboot(self, delay_seconds: int, *, run_again: bool) -> None:
        """See ``ActionContext``."""
        self._reboots.ask(delay_seconds, run_again=run_again)
