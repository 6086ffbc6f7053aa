"""Writes the log lines before the first document starts and after the last one has finished.

The words are those of AWSTOE's logs. Its lines about what awstoe does not do are left out.
"""

import os
from collections.abc import Sequence

from awstoe.reporting.record_files import CHAINING, DETAILED
from awstoe.reporting.run_log import LogFiles


def log_setup(
    log: LogFiles,
    documents: Sequence[tuple[str, str]],
    *,
    execution_id: str,
    phases: Sequence[str],
    log_directory: str,
) -> None:
    """Log how the run was set up.

    Args:
        log: The run's logs.
        documents: For each document its path as given, and the path of its copy.
        execution_id: The execution ID.
        phases: The requested phases; empty for all.
        log_directory: The log directory as given.
    """
    log.info("Setup: STARTED SETUP")
    for path, copy in documents:
        log.debug_all(
            (
                f"Setup: Currently validating document {path}",
                "Setup: Source type: Default",
                f"Setup: New destination path for document {path} - {copy}",
            )
        )
        log.info(f"Setup: Document {path} is a local path")
        log.debug_all(
            (
                "Setup: STARTED COPYING DOCUMENT",
                f"Setup: Copying {path} to {copy}",
                f"Setup: Successfully copied {path} to {copy}",
                "Setup: FINISHED COPYING DOCUMENT",
                f"Setup: STARTED PARSING DOCUMENT {path}",
                f"Setup: FINISHED PARSING DOCUMENT {path}",
                f"Setup: STARTED VALIDATING DOCUMENT {path}",
                f"Setup: FINISHED VALIDATING DOCUMENT {path}",
            )
        )
    paths = " ".join(path for path, _ in documents)
    log.debug_all(
        (
            "Setup: STARTED DOCUMENT CONVERSION",
            "Setup: FINISHED DOCUMENT CONVERSION",
            "Setup: STARTED DOCUMENT VALIDATION FOR PARAMETERS",
            "Setup: FINISHED DOCUMENT VALIDATION FOR PARAMETERS",
            "Setup: STARTED DOCUMENT VALIDATION FOR CHAINING",
            "Setup: FINISHED DOCUMENT VALIDATION FOR CHAINING",
            "Setup: FINISHED SETUP",
            "CLI run: Setup has been completed!",
            f"CLI run: CLI arguments cliDocumentsString=[{paths}], phases=[{' '.join(phases)}],"
            f" executionId={execution_id}, logDir={log_directory}, logS3Bucket=, logS3Key=",
            "CLI run: Passing control to Executor to execute documents",
        )
    )


def log_end(log: LogFiles, folder: str, exit_code: int, error: str) -> None:
    """Log how the run ended; ``error`` is empty if nothing stopped it.

    The record files are complete by now, unless something stopped the run.
    """
    records = (
        f"Updated detailed output file at {os.path.join(folder, DETAILED)}",
        f"Updated chaining file at {os.path.join(folder, CHAINING)}",
    )
    log.debug_all(
        (
            *(() if error else records),
            f"CLI run: Executor has returned control. ExitCode - {exit_code}, Error -"
            f" {error or '<nil>'}",
            "Utils: Skipped uploading logs to S3.",
        )
    )
