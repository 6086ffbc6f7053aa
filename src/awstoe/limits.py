"""Every numeric limit of the program, each with the reason for its value."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- documents -------------------------------------------------------------------------------
DOCUMENT_BYTES: Final = 10 * MIB
"""Largest document. The AWSTOE service accepts components of up to 64 KB; 10 MiB leaves room for
generated ones and limits the parser's memory to some hundred megabytes."""

DOCUMENT_NODES: Final = 1_000_000
"""Nodes visited while a document is read; each use of an alias counts. The densest real documents
of 10 MiB have half of that; an alias bomb has billions."""

DOCUMENT_DEPTH: Final = 64
"""Nesting of YAML collections. Real documents reach 12."""

PROBLEMS_SHOWN: Final = 200
"""Problems kept for one document: a longer list does not help."""

SUGGESTION_CANDIDATES: Final = 20_000
"""Names compared for the "did you mean" hints of one document: each comparison takes about 10
microseconds, and a document with 10,000 steps may have hundreds of wrong references."""

YAML_DIRECTIVES: Final = 100
"""%TAG directives in one document. libyaml compares each with all others. Real documents have
none."""

CONDITION_DEPTH: Final = 4
"""Nesting of and/or/not, from the AWSTOE user guide."""

NESTED_DOCUMENTS: Final = 3
"""Levels of ExecuteDocument below the top document, from the AWSTOE user guide."""

PATTERN_CHARACTERS: Final = 1000
"""Longest patternMatches expression."""

PATTERN_SECONDS: Final = 5.0
"""Longest run of one patternMatches expression: unlike RE2, Python's matcher can take exponential
time."""

PATTERN_DEPTH: Final = 100
"""Nesting of groups in one patternMatches expression: Python's regex compiler recurses."""

SSM_RESOLVE_DEPTH: Final = 8
"""Nesting of ``aws:ssm:resolve(...)``. Each level is a call to AWS; real documents use one."""

# --- steps -----------------------------------------------------------------------------------
STEP_TIMEOUT_SECONDS: Final = 7200
"""Default of ``timeoutSeconds``, from the AWSTOE user guide."""

TERM_GRACE_SECONDS: Final = 5.0
"""The grace period between TERM and KILL when a step's processes are ended."""

KILL_SECONDS: Final = 5.0
"""How long a process may take to end after KILL before it is reported as still running. A process
in an uninterruptible system call (a dead network drive) never ends."""

BOOTLOADER_SECONDS: Final = 2.0
"""How much longer the grace period is for a single-file executable that a step runs, such as
another awstoe; and how long its bootloader may take to remove what it unpacked after the program
was killed."""

HARD_STOP_SECONDS: Final = 1.0
"""A second Ctrl-C skips the grace period only if it comes this long after the first: a terminal and
a supervisor may both deliver the same Ctrl-C."""

URGENT_GRACE_SECONDS: Final = 2.0
"""The grace period when a Windows console is closed, the session ends, the system shuts down or the
awstoe that runs us ends its step: we are killed after five seconds, and the records have to be
written before."""

PIPE_HELD_OPEN_SECONDS: Final = 5.0
"""How long to wait for a background child that keeps the output pipe after its parent's exit."""

OUTPUT_VALUE_BYTES: Final = 1 * MIB
"""How much of a step's standard output its ``stdout`` output keeps (AWSTOE_STDOUT_LIMIT overrides
it); the logs have all of it. Records and chaining hold the value in memory and rewrite it."""

QUOTED_LINES: Final = 20
"""Lines of each output stream quoted in a failure message."""

QUOTED_BYTES: Final = 4 * KIB
"""Bytes of each output stream quoted in a failure message: lines can be long."""

QUOTED_LINE_CHARACTERS: Final = 400
"""How much is quoted of one line: a program may print a whole file as one line."""

QUOTED_VALUE_CHARACTERS: Final = 60
"""How much of the value of a loop's iteration a failure message shows."""

EXAMINED_HEAD_BYTES: Final = 256 * KIB
"""How much of the beginning of each output stream is searched for the cause of a failure. The
first error of a program may be followed by pages of other output."""

EXAMINED_TAIL_BYTES: Final = 256 * KIB
"""How much of the end of each output stream is searched for the cause of a failure."""

EXAMINED_LINES: Final = 20_000
"""How many lines of each output stream are searched, half of them at its beginning."""

SPOOL_MEMORY_BYTES: Final = 1 * MIB
"""How much standard error is kept in memory until it is logged; the rest goes to a temporary
file."""

READ_CHUNK_BYTES: Final = 1 * MIB
"""One read from a child's pipe; pipes are enlarged to this if the system allows it."""

READ_FILE_BYTES: Final = 16 * MIB
"""Largest file that ReadFile accepts: its content becomes an output value, kept in memory and
written to the records."""

LOGGED_ITERATIONS: Final = 1000
"""Iterations of a loop that are logged in full and kept one by one in the journal."""

LOGGED_ITERATION_STRIDE: Final = 10_000
"""Beyond LOGGED_ITERATIONS, one line is logged per this many iterations."""

KEPT_NESTED_RECORDS: Final = 1000
"""Nested runs of one ExecuteDocument loop whose full records are kept."""

HELD_SECONDS: Final = 3.0
"""How long to wait on Windows for a file that another program has open: virus scanners open new
files for moments."""

DENIED_SECONDS: Final = 0.7
"""The same if the system only says that access is denied, which usually does not change."""

REBOOTS_IN_A_ROW: Final = 3
"""Reboots that one step may request without making progress: a script that requests one each time
it runs would keep an image build busy forever."""

REBOOT_PROGRAM_SECONDS: Final = 60
"""Longest run of one of the programs that reboot the machine or register the command to resume."""

# --- state and records -----------------------------------------------------------------------
JOURNAL_SYNC_SECONDS: Final = 0.8
"""How long an entry of the journal may wait for its flush to the disk: an fsync takes milliseconds,
a step may take two. So a power failure repeats only what happened in the last second."""

MANIFEST_BYTES: Final = 16 * MIB
"""Largest ``run.json``: it has the parameters of the run, which fit into a command line or into
configuration files of up to 10 MiB."""

RECORD_REWRITE_SHARE: Final = 0.02
"""detailedoutput.json and chaining.json are rewritten only if the last rewrite took less than this
share of the time since then, so that the cost per step does not grow."""

RECORD_REWRITE_SHARE_AT_FAILURE: Final = 0.2
"""The same after a failed step, which a user may be waiting to see. Without it, each of a thousand
failures in a long run with onFailure Continue would cost a rewrite."""

EXECUTION_ID_CHARACTERS: Final = 128
"""Longest --execution-id: it is part of folder names, which systems limit to 255 bytes."""

# --- trust -----------------------------------------------------------------------------------
SIGNATURE_BYTES: Final = 64 * KIB
"""Largest OpenPGP signature file: a signature has 0.6 KiB, or 0.9 KiB armored."""

SIGNATURES: Final = 16
"""Signatures in one file: a release has one, or two while keys change."""

KEYRING_BYTES: Final = 256 * KIB
"""Largest OpenPGP key file: a release key has 2 KiB, a personal key with many certifications
100."""

OPENPGP_COST: Final = 500_000
"""Time for checking the keys in an OpenPGP key file, in units of about a microsecond. A personal
key with 500 self-signatures needs a fifth of it. An attacker's file could take a minute."""

# --- updates ---------------------------------------------------------------------------------
UPDATE_CONNECT_SECONDS: Final = 10.0
"""Timeout for connecting to a region or to the proxy. Then the next region is tried."""

UPDATE_IDLE_SECONDS: Final = 20.0
"""Longest silence of a server in the middle of a response."""

UPDATE_METADATA_SECONDS: Final = 30.0
"""Timeout for one metadata file or one signature: they have some kilobytes."""

UPDATE_BYTES_PER_SECOND: Final = 16 * KIB
"""The slowest accepted download, on average. A program of 15 MB then takes 16 minutes."""

UPDATE_REGIONS: Final = 4
"""Regions tried before an update fails. All regions of a partition would take minutes on a machine
without a network."""

UPDATE_ATTEMPTS: Final = 3
"""Attempts to get a file from one region, if it is only busy or the connection is lost; each
attempt continues the download. Then the next region is tried."""

UPDATE_RETRY_SECONDS: Final = 1.0
"""Wait before the next attempt; doubled each time, and randomly up to twice as long."""

UPDATE_RETRY_AFTER_SECONDS: Final = 10.0
"""A region that asks to wait longer (Retry-After) is skipped."""

UPDATE_ALL_METADATA_SECONDS: Final = 300.0
"""Timeout for the metadata of an update, in all regions together. A good region takes a second;
four that send byte by byte take two minutes each, or one with many new roots some minutes."""

UPDATE_ALL_SECONDS: Final = 3600.0
"""Timeout for the program and its signature, in all regions together: the slowest accepted
download, once in each region. Without it, three attempts in each would take hours."""

UPDATE_METADATA_BYTES: Final = 2 * MIB
"""Largest targets metadata. A release needs about 3 KB: this is enough for 600 releases."""

UPDATE_ROOT_BYTES: Final = 256 * KIB
"""Largest root, snapshot or timestamp metadata. Ten RSA keys have 10 KB."""

UPDATE_ROOT_ROTATIONS: Final = 256
"""Roots between the built-in one and the newest: old programs must still be able to update."""

UPDATE_PROGRAM_BYTES: Final = 256 * MIB
"""Largest program that is downloaded, regardless of the signed metadata. Ours have 15 MB."""

UPDATE_SPARE_BYTES: Final = 4 * MIB
"""Free space required on the program's disk besides the new program itself."""

UPDATE_HEALTH_SECONDS: Final = 30.0
"""Timeout for the new program to print its version. It takes 0.2 seconds, longer with a virus
scanner."""

UPDATE_LOCK_POLL_SECONDS: Final = 0.2
"""How often --wait checks whether a run or another update has ended."""

UPDATE_RUN_WAIT_SECONDS: Final = 120.0
"""How long a run waits for the swap of an update, which includes two smoke tests."""

INSTALL_RECORD_BYTES: Final = 64 * KIB
"""Largest record of an update, which has a version and a hash; and largest file with a time."""

UPDATE_CLOCK_SECONDS: Final = 86_400.0
"""How far the clock may go back between two updates; beyond that, expiry dates are not reliable."""

BUNDLE_ENTRIES: Final = 5000
"""Files in a bundle of releases: 4 programs, and the signatures of all versions published."""
