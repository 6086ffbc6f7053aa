"""Writes the log lines before the first document starts and after the last one has finished."""

import os
from collections.abc import Sequence

from awstoe.reporting.run_log import LogFiles


def log_setup(
    log: LogFiles,
    folder: str,
    documents: Sequence[tuple[str, str]],
    *,
    execution_id: str,
    phases: Sequence[str],
    log_directory: str,
) -> None:
    """Log how the run was set up.

    Args:
        log: The run's logs.
        folder: The log folder as the logs name it.
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
                f"Setup: STARTED DOWNLOADING DOCUMENT {path}",
            )
        )
        log.info(f"Setup: Document {path} is a local path")
        log.debug_all(
            (
                "Setup: STARTED COPYING DOCUMENT",
                f"Setup: Copying {path} to {copy}",
                f"Setup: Successfully copied {path} to {copy}",
                "Setup: FINISHED COPYING DOCUMENT",
                f"Setup: FINISHED DOWNLOADING DOCUMENT {path}",
                "Setup: Checking for cycles and nesting limits",
                f"Setup: STARTED PARSING DOCUMENT {copy}",
                f"Setup: FINISHED PARSING DOCUMENT {copy}",
                f"Setup: STARTED VALIDATING DOCUMENT {copy}",
                f"Setup: FINISHED VALIDATING DOCUMENT {copy}",
            )
        )
    detailed = os.path.join(folder, "detailedoutput.json")
    chaining = os.path.join(folder, "chaining.json")
    paths = " ".join(path for path, _ in documents)
    log.debug_all(
        (
            "Setup: STARTED DOCUMENT CONVERSION",
            "Setup: FINISHED DOCUMENT CONVERSION",
            "Setup: STARTED DOCUMENT VALIDATION FOR PARAMETERS",
            "Setup: FINISHED DOCUMENT VALIDATION FOR PARAMETERS",
            "Setup: STARTED DOCUMENT VALIDATION FOR CHAINING",
            "Setup: FINISHED DOCUMENT VALIDATION FOR CHAINING",
            "Setup: STARTED CREATION OF TOE FILES",
            f"Setup: Creating chaining.json at {folder}",
            "Chaining: Generated chaining reference",
            "Chaining: Initializing...",
            "Chaining: Initialized chaining!",
            f"Chaining: Created chaining file at {chaining}",
            f"Updated chaining file at {chaining}",
            f"Setup: Creating detailedoutput.json at {folder}",
            f"Created detailed output file at {detailed}",
            f"Initialized detailed output file at {detailed}",
            f"Setup: Successfully created chaining.json and detailedoutput.json at {folder}",
            "Setup: FINISHED CREATION OF TOE FILES",
            "Setup: FINISHED SETUP",
            "CLI run: Setup has been completed!",
            "CLI run: Attempting to create a folder in customer's S3 account. logS3Bucket=,"
            " logS3Key=, logS3BucketOwner=",
            f"Utils: UploadDirectoryToS3 sourceDir = {folder}, bucket = , key = {folder}",
            "Utils: Skipped uploading logs to S3.",
            "CLI run: Successfully created a folder in customer's S3 account!",
            f"CLI run: CLI arguments cliDocumentsString=[{paths}], phases=[{' '.join(phases)}],"
            f" executionId={execution_id}, logDir={log_directory}, logS3Bucket=, logS3Key=",
            "CLI run: Passing control to Executor to execute documents",
        )
    )


def log_end(log: LogFiles, folder: str, exit_code: int, error: str) -> None:
    """Log how the run ended; ``error`` is empty if nothing stopped it."""
    log.debug_all(
        (
            f"CLI run: Executor has returned control. ExitCode - {exit_code}, Error -"
            f" {error or '<nil>'}",
            "CLI run: calling UploadDirectoryToS3Func.",
            f"Utils: UploadDirectoryToS3 sourceDir = {folder}, bucket = , key = {folder}",
            "Utils: Skipped uploading logs to S3.",
        )
    )
