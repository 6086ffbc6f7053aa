"""Every numeric limit of the program, each with the reason for its value."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# --- documents -------------------------------------------------------------------------------
DOCUMENT_BYTES: Final = 10 * MIB
"""Largest document read. AWSTOE components are at most 64 KB as a service; 10 MiB leaves room for
generated ones and keeps the parser's memory in hundreds of megabytes at worst."""

DOCUMENT_NODES: Final = 1_000_000
"""Nodes visited while a document is read, aliases counted each time they are used. A 10 MiB
document of the densest kind that people write has half of that; an alias bomb has billions."""

DOCUMENT_DEPTH: Final = 64
"""Nesting of YAML collections. Real documents reach 12."""

PROBLEMS_SHOWN: Final = 200
"""Problems kept for one document: beyond that, more of them help nobody."""

SUGGESTION_CANDIDATES: Final = 20_000
"""Names compared for the "did you mean" hints of one document: each comparison takes about 10
microseconds, and a document with 10,000 steps may have hundreds of wrong references."""

YAML_DIRECTIVES: Final = 100
"""%TAG directives in one document. libyaml compares each with all others; real ones have none."""

CONDITION_DEPTH: Final = 4
"""Nesting of and/or/not, from the AWSTOE user guide."""

NESTED_DOCUMENTS: Final = 3
"""Levels of ExecuteDocument below the top document, from the AWSTOE user guide."""

PATTERN_CHARACTERS: Final = 1000
"""Longest patternMatches expression."""

PATTERN_SECONDS: Final = 5.0
"""Longest run of one patternMatches expression: Python's, unlike RE2, can be exponential."""

PATTERN_DEPTH: Final = 100
"""Nesting of groups in one patternMatches expression: Python's compiler of expressions recurses."""

SSM_RESOLVE_DEPTH: Final = 8
"""Nesting of ``aws:ssm:resolve(...)``. Each level is a call to AWS; one is what people write."""

# --- steps -----------------------------------------------------------------------------------
STEP_TIMEOUT_SECONDS: Final = 7200
"""Default of ``timeoutSeconds``, from the AWSTOE user guide."""

TERM_GRACE_SECONDS: Final = 5.0
"""Between TERM and KILL when a step's processes are ended."""

KILL_SECONDS: Final = 5.0
"""After KILL, how long a process may take to go before it is reported as one that stays: one in an
uninterruptible system call (a dead network drive) never goes."""

SINGLE_FILE_SECONDS: Final = 2.0
"""How much more grace a single file has that a step runs, another awstoe; and how long its boot
loader has for removing what it unpacked when the program has been ended by force."""

REAP_SECONDS: Final = 5.0
"""Orphans of a running step that have ended are reaped this often: each holds a process id."""

HARD_STOP_SECONDS: Final = 1.0
"""A second Ctrl-C stops the grace period only when it comes this much later than the first:
a terminal and a supervisor may both deliver the same Ctrl-C."""

URGENT_GRACE_SECONDS: Final = 2.0
"""Between Ctrl-Break and the hard end when a Windows console is closed, the session ends, the
system shuts down or the awstoe that runs us ends its step: we are killed after five seconds, and
the records have to be written before."""

PIPE_HELD_OPEN_SECONDS: Final = 5.0
"""How long to wait for a background child that keeps the output pipe after its parent's exit."""

OUTPUT_VALUE_BYTES: Final = 1 * MIB
"""Kept of a step's standard output as its ``stdout`` output value (AWSTOE_STDOUT_LIMIT overrides);
the logs have all of it. Records and chaining hold the value in memory and rewrite it."""

STDERR_TAIL_LINES: Final = 20
"""Lines of standard error quoted in a failure message."""

STDERR_TAIL_BYTES: Final = 4 * KIB
"""Bytes of standard error quoted in a failure message: lines can be long."""

SPOOL_MEMORY_BYTES: Final = 1 * MIB
"""Of standard error kept in memory until it is logged; more of it goes to a temporary file."""

READ_CHUNK_BYTES: Final = 1 * MIB
"""One read from a child's pipe; pipes are enlarged to this where the system allows it."""

READ_FILE_BYTES: Final = 16 * MIB
"""Largest file that ReadFile takes: its content becomes an output value, kept in memory and
written into the records."""

LOGGED_ITERATIONS: Final = 1000
"""Iterations of a loop that are logged in full and kept one by one in the journal."""

LOGGED_ITERATION_STRIDE: Final = 10_000
"""Beyond LOGGED_ITERATIONS, one line per so many iterations."""

KEPT_NESTED_RECORDS: Final = 1000
"""Nested runs of one ExecuteDocument loop whose full records are kept."""

HELD_SECONDS: Final = 3.0
"""How long a file that another program holds is waited for on Windows: virus scanners look into new
files for moments."""

DENIED_SECONDS: Final = 0.7
"""The same when the system only says that access is denied: mostly that will not change."""

REBOOTS_IN_A_ROW: Final = 3
"""Reboots that one step may ask for without getting further: a script that asks for one each time
it runs would keep an image build busy for ever."""

REBOOT_PROGRAM_SECONDS: Final = 60
"""Longest run of one of the programs that reboot the machine, or see to it that the run goes on."""

# --- state and records -----------------------------------------------------------------------
JOURNAL_SYNC_SECONDS: Final = 1.0
"""The journal is flushed to the disk at most this often between phase ends: an fsync costs
milliseconds, a step may cost two. Power loss may repeat the steps of the last second."""

RECORD_REWRITE_SHARE: Final = 0.02
"""detailedoutput.json and chaining.json are rewritten when the last rewrite took less than this
share of the time passed since, so that a run's cost per step does not grow."""

RECORD_REWRITE_SHARE_AT_FAILURE: Final = 0.2
"""The same after a failed step, which somebody may be waiting to see. A thousand failures in a long
run under onFailure Continue would otherwise cost a rewrite each."""

EXECUTION_ID_CHARACTERS: Final = 128
"""Longest --execution-id: it becomes a part of folder names, which systems limit to 255 bytes."""

# --- trust -----------------------------------------------------------------------------------
SIGNATURE_BYTES: Final = 64 * KIB
"""Largest OpenPGP signature file: one signature has 0.6 KiB, armored 0.9."""

SIGNATURES: Final = 16
"""Signatures in one file: a release has one, two while keys change."""

KEYRING_BYTES: Final = 256 * KIB
"""Largest OpenPGP key file: a release key has 2 KiB, a person's with many certifications 100."""

# --- updates ---------------------------------------------------------------------------------
UPDATE_CONNECT_SECONDS: Final = 10.0
"""To connect to a region, or to the proxy. The next region is asked afterwards."""

UPDATE_IDLE_SECONDS: Final = 20.0
"""Longest silence of a server in the middle of an answer."""

UPDATE_METADATA_SECONDS: Final = 30.0
"""For one file of metadata or one signature: they have some kilobytes."""

UPDATE_BYTES_PER_SECOND: Final = 16 * KIB
"""The slowest download that is waited for, on the average. A 15 MB program takes 16 minutes."""

UPDATE_REGIONS: Final = 4
"""Regions asked before an update is given up. All of a partition's would take minutes on a machine
that has no network."""

UPDATE_ATTEMPTS: Final = 3
"""Times one region is asked for a file, as long as it is only busy or breaks off; a download is
continued each time. The next region is asked afterwards."""

UPDATE_RETRY_SECONDS: Final = 1.0
"""Before a region is asked again; doubled each time, and up to twice as long by chance."""

UPDATE_RETRY_AFTER_SECONDS: Final = 10.0
"""A region that asks to be left alone for longer (Retry-After) is passed over."""

UPDATE_ALL_METADATA_SECONDS: Final = 300.0
"""For the metadata of an update, in all regions together. A good region takes a second; four that
drip take two minutes each, or one with many new roots some minutes."""

UPDATE_ALL_SECONDS: Final = 3600.0
"""For the program and its signature, in all regions together: the slowest download that is waited
for, once in each region. Without it three attempts in each would take hours."""

UPDATE_METADATA_BYTES: Final = 2 * MIB
"""Largest file of targets metadata. A release has about 3 KB in it: 600 releases."""

UPDATE_ROOT_BYTES: Final = 256 * KIB
"""Largest root, snapshot or timestamp metadata. Ten RSA keys have 10 KB."""

UPDATE_ROOT_ROTATIONS: Final = 256
"""Roots between the one built in and the newest: an old program must still find its way."""

UPDATE_PROGRAM_BYTES: Final = 256 * MIB
"""Largest program that is downloaded, whatever the signed metadata says. Ours have 15 MB."""

UPDATE_SPARE_BYTES: Final = 4 * MIB
"""Free space wanted on the program's disk beyond the new program itself."""

UPDATE_HEALTH_SECONDS: Final = 30.0
"""For the new program to tell its version. It takes 0.2 seconds; a virus scanner some more."""

UPDATE_LOCK_POLL_SECONDS: Final = 0.2
"""How often --wait looks whether a run or another update has ended."""

UPDATE_RUN_WAIT_SECONDS: Final = 120.0
"""How long a run waits for the swap of an update, which has two health checks in it."""

UPDATE_CLOCK_SECONDS: Final = 86_400.0
"""How far the clock may go back between two updates before expiry dates cannot be believed."""

BUNDLE_ENTRIES: Final = 5000
"""Files in a bundle of releases: 4 programs, and the signatures of all versions published."""
