"""The words of other tools, and what to write instead. Data only.

Authors of documents bring habits from Ansible, GitHub Actions, cloud-init, Dockerfiles, Packer, SSM
documents and shells. A word is looked up without case, dashes and underscores. Only words that are
wrong where they are get here, so no entry can contradict what is accepted.
"""

from typing import Final

from awstoe.document.advice import Row, Table

_LOOP: Final = "write it under 'loop', as in 'loop: {{forEach: [a, b]}}'"
_CONDITION: Final = "write a condition under 'if', as in 'if: {{fileExists: /etc/debian_version}}'"
_VARIABLES: Final = (
    "set variables in the script, as in 'export NAME=value', or declare 'parameters' or"
    " 'constants' at the top of the document"
)
_USER: Final = (
    "remove it: a step runs as the user that starts awstoe; use 'sudo -u USER' in the script"
)
_FOLDER: Final = "remove it, and start the script with 'cd FOLDER'"
_ORDER: Final = "remove it: steps run in the order of the document"
_COMMENT: Final = "remove it, or make it a comment that starts with '#'"
_EACH_STEP: Final = "put it into each step that needs it"
_COMPONENT: Final = "remove it: it belongs to the component in Image Builder, not to its document"
_RESULT: Final = "remove it: later steps read the output as '{{{{ PHASE.STEP.outputs.stdout }}}}'"
_INTO_PHASE: Final = "put it into a phase, as in 'phases: [{{name: build, steps: [...]}}]'"
_INTO_STEP: Final = "put it into a step of a phase"
_IGNORE: Final = "use 'onFailure: Ignore', or 'onFailure: Continue'"

DOCUMENT: Final[Table] = (
    Row("tasks jobs actions mainsteps runcmd provisioners", _INTO_PHASE),
    Row("build validate test", _INTO_PHASE),
    Row("commands run script shell bash action inputs loop if", _INTO_STEP),
    Row("onfailure timeoutseconds maxattempts timeout", _EACH_STEP),
    Row("stages stage", "", ("phases",)),
    Row("params inputparameters arguments args", "", ("parameters",)),
    Row(
        "vars variables env environment globals locals",
        "declare 'parameters', which the caller can set, or 'constants'",
    ),
    Row("title component componentname displayname id", "", ("name",)),
    Row("desc summary documentation comment", "", ("description",)),
    Row("schema documentversion apiversion", "", ("schemaVersion",)),
    Row("platform os osplatform supportedosversions semanticversion changedescription", _COMPONENT),
    Row("author maintainer owner license tags labels", _COMMENT),
    Row("output outputs", "remove it: documents have no outputs"),
    Row(
        "include includes import imports extends",
        "run other documents with steps of the action ExecuteDocument",
    ),
    Row("hosts targets nodes", "remove it: a document runs on the machine that awstoe runs on"),
    Row("become sudo user", _USER),
)
"""Keys at the top of a document."""

PHASE: Final[Table] = (
    Row("tasks jobs actions provisioners", "", ("steps",)),
    Row(
        "commands run script shell bash",
        "put it into a step, as in"
        " 'steps: [{{name: NAME, action: {shell}, inputs: {{commands: [...]}}}}]'",
    ),
    Row("action inputs", _INTO_STEP),
    Row(
        "onfailure timeoutseconds maxattempts disablelogging if loop when timeout env environment"
        " retries continueonerror ignoreerrors",
        _EACH_STEP,
    ),
    Row("phase stage id title", "", ("name",)),
    Row("description desc comment", _COMMENT),
    Row("needs dependson requires", "remove it: phases run in the order of the document"),
)
"""Keys of a phase."""

SCRIPT: Final[Table] = (
    Row(
        "run script shell bash sh command commands cmd exec inline raw runcmd bootcmd powershell"
        " pwsh winshell",
        "write 'action: {shell}' and put the script under 'inputs', as in"
        " 'inputs: {{commands: [\"echo hello\"]}}'",
    ),
)
"""Keys of a step that hold a script."""

STEP: Final[Table] = (
    Row(
        "timeout timeoutsec timeoutsecs timeoutinseconds maxtime",
        "use 'timeoutSeconds', a number of seconds",
        ("timeoutSeconds",),
    ),
    Row("timeoutminutes timeoutmins", "use 'timeoutSeconds', a number of seconds"),
    Row("async poll", "use 'timeoutSeconds', a number of seconds"),
    Row("when condition conditions precondition onlyif only rules cond", _CONDITION),
    Row(
        "unless notif except",
        "write a condition under 'if', as in 'if: {{not: {{fileExists: /etc/debian_version}}}}'",
    ),
    Row("then else", "put it under 'if', next to the operator"),
    Row("env environment environmentvars envs vars variables setenv", _VARIABLES),
    Row("with args arguments params parameters options input properties", "", ("inputs",)),
    Row("become becomeuser becomemethod sudo user runas runasuser remoteuser username", _USER),
    Row("workingdirectory workingdir workdir cwd chdir dir directory", _FOLDER),
    Row(
        "tags tag labels groups",
        "remove it: steps have no tags; put steps that run separately into another phase, and"
        " choose phases with --phases",
    ),
    Row(
        "retries retry attempts maxretries retrycount tries",
        "use 'maxAttempts', which counts the first attempt",
        ("maxAttempts",),
    ),
    Row(
        "delay until retrydelay pausebefore startretrytimeout wait",
        "remove it: another attempt follows at once; wait in the script, as in"
        " 'until COMMAND; do sleep 5; done'",
    ),
    Row("ignoreerrors ignorefailure continueonerror allowfailure iscritical failedwhen", _IGNORE),
    Row("onerror errors failure", "", ("onFailure",)),
    Row("nolog sensitive secret silent", "", ("disableLogging",)),
    Row("withitems withlist withsequence withdict withfileglob items matrix each foreach", _LOOP),
    Row("strategy repeat", _LOOP),
    Row("loopcontrol loopvar", "use 'name' under 'loop', as in 'loop: {{name: x, forEach: [a]}}'"),
    Row("register output outputs", _RESULT),
    Row("id title displayname stepname step label", "", ("name",)),
    Row("module kind plugin type", "", ("action",)),
    Row(
        "include includetasks importtasks includerole importrole role",
        "use 'action: ExecuteDocument' to run another document",
    ),
    Row(
        "notify handlers handler listen",
        "remove it: there are no handlers; add a later step, with an 'if' where needed",
    ),
    Row("needs dependson requires after before nextstep isend oncancel", _ORDER),
    Row(
        "block rescue always",
        "write the steps one after the other; 'onFailure' decides what follows a failure",
    ),
    Row(
        "os osplatform platform platforms runson",
        "remove it, or write a condition with '{{{{ context:osPlatform }}}}' under 'if'",
    ),
    Row("description desc comment documentation notes", _COMMENT),
    Row("changedwhen checkmode delegateto runonce diff throttle noerror", "remove it"),
    Row("disabled enabled skip", "remove it, or write a condition under 'if'"),
    Row("executecommand elevateduser validexitcodes expectdisconnect", "remove it"),
)
"""Keys of a step."""

PARAMETER: Final[Table] = (
    Row("value defaultvalue", "", ("default",)),
    Row("desc label title displayname help", "", ("description",)),
    Row("enum options choices allowed values", "", ("allowedValues",)),
    Row("datatype kind", "", ("type",)),
    Row(
        "allowedpattern pattern regex minlength maxlength minchars maxchars minvalue maxvalue"
        " validation",
        "remove it, and check the value in a step, for example with Assert and patternMatches",
    ),
    Row(
        "required optional nullable",
        "remove it: a parameter is required if it has no 'default'",
    ),
    Row(
        "noecho sensitive secret",
        "remove it, and write 'disableLogging: true' in the steps that use the parameter",
    ),
)
"""Keys of a parameter."""

CONSTANT: Final[Table] = (
    Row("default defaultvalue val", "", ("value",)),
    *PARAMETER[1:2],
    *PARAMETER[3:4],
    Row(
        "allowedvalues enum options choices",
        "remove it: a constant has one value; the caller can set only 'parameters'",
    ),
)
"""Keys of a constant."""

LOOP: Final[Table] = (
    Row("items list values in each withitems over", "", ("forEach",)),
    Row("range times count", "use 'for', as in 'for: {{start: 1, end: 3, updateBy: 1}}'"),
    Row("start end updateby", "put it under 'for', as in 'for: {{start: 1, end: 3, updateBy: 1}}'"),
    Row(
        "delimiter separator",
        "put it under 'forEach', as in 'forEach: {{list: \"a,b\", delimiter: \",\"}}'",
    ),
    Row("loopvar var variable as id label index indexvar loopcontrol", "", ("name",)),
    Row("while until", "use a loop of the shell in the script"),
)
"""Keys of a loop."""

COUNT: Final[Table] = (
    Row("from begin first min lower", "", ("start",)),
    Row("to stop until last max upper", "", ("end",)),
    Row("by step increment stride", "", ("updateBy",)),
)
"""Keys of a loop's ``for``."""

INPUT: Final[Table] = (
    Row("url uri src from origin link bucket key", "", ("source", "target")),
    Row("url uri source installer msi", "", ("path",)),
    Row("dest dst to output out outfile target", "", ("destination", "path")),
    Row("run script shell bash command cmd cmds inline exec raw", "", ("commands", "path")),
    Row("program executable binary exe", "", ("path",)),
    Row("args argv argument params parameter", "", ("arguments", "parameters")),
    Row(
        "file filename filepath dir directory folder folderpath name path", "", ("path", "document")
    ),
    Row("text data body value block line contents template", "", ("content",)),
    Row("mode chmod permission perms", "", ("permissions",)),
    Row("user uid chown username", "", ("owner",)),
    Row("gid groupname", "", ("group",)),
    Row("replace clobber backup force", "", ("overwrite",)),
    Row("recurse recursively depth", "", ("recursive", "recurse")),
    Row("sha256 sha1 sha512 md5 hash digest", "use 'checksum' and 'algorithm'", ("checksum",)),
    Row("checksumtype hashtype checksumalgorithm", "", ("algorithm",)),
    Row("insecure validatecerts skipverify noverify", "", ("ignoreCertificateErrors",)),
    Row("pattern filter glob patterns filenames", "", ("fileNamePattern",)),
    Row("delay seconds sleep wait timeout pretimeout", "", ("delaySeconds",)),
    Row("regtype kind datatype", "", ("type",)),
    Row("hive regkey keypath registrykey", "", ("path",)),
    Row("packages package names", "", ("include",)),
    Row("excludes skip", "", ("exclude",)),
    Row("bucketowner accountid", "", ("expectedBucketOwner", "document-s3-bucket-owner")),
    Row("charset codepage", "", ("encoding",)),
    Row("env environment environmentvars vars variables", _VARIABLES),
    Row("workingdirectory workingdir workdir cwd chdir", _FOLDER),
    Row("become becomeuser sudo runas runasuser user", _USER),
    Row(
        "creates removes unless onlyif when",
        "remove it, and write a condition under the step's 'if', as in"
        " 'if: {{not: {{fileExists: /opt/done}}}}'",
    ),
    Row(
        "headers username password token auth",
        "remove it, and download with curl in a step of {shell}",
    ),
    Row("retries retry", "use 'maxAttempts' of the step"),
    Row("state", "remove it: each action does one thing"),
)
"""Inputs of an action."""

OPERATOR: Final[Table] = (
    Row("equals equal eq is == = same", "did you mean 'stringEquals' or 'numberEquals'?"),
    Row(
        "notequals notequal ne != stringnotequals isnot neq",
        "write 'not: {{stringEquals: a, value: b}}'",
    ),
    Row("numbernotequals", "write 'not: {{numberEquals: 1, value: 2}}'"),
    Row(
        "contains stringcontains matches match regex regexp like stringmatches startswith endswith",
        "did you mean 'patternMatches'?",
    ),
    Row(
        "exists exist pathexists present isfile path",
        "did you mean 'fileExists' or 'folderExists'?",
    ),
    Row("directoryexists direxists isdirectory isdir", "did you mean 'folderExists'?"),
    Row(
        "filenotexists notexists missing absent filemissing foldernotexists",
        "write 'not: {{fileExists: PATH}}', or the same with 'folderExists'",
    ),
    Row("commandexists programexists which command installed", "did you mean 'binaryExists'?"),
    Row("greaterthan gt greater >", "did you mean 'numberGreaterThan'?"),
    Row("greaterthanequals greaterorequal gte ge >=", "did you mean 'numberGreaterThanEquals'?"),
    Row("lessthan lt less <", "did you mean 'numberLessThan'?"),
    Row("lessthanequals lessorequal lte le <=", "did you mean 'numberLessThanEquals'?"),
    Row("empty isempty isnull none", "did you mean 'stringIsEmpty'?"),
    Row("notempty isnotempty defined isset", "write 'not: {{stringIsEmpty: TEXT}}'"),
    Row("all allof every &&", "did you mean 'and'?"),
    Row("any anyof some ||", "did you mean 'or'?"),
    Row("unless !", "did you mean 'not'?"),
    Row("checksum sha256 hash filehash", "did you mean 'fileSHA256Equals'?"),
    Row("md5", "did you mean 'fileMD5Equals'?"),
    Row(
        "os osplatform platform ostype",
        "write 'stringEquals: linux' and 'value: \"{{{{ context:osPlatform }}}}\"'",
    ),
)
"""Operators of conditions."""

ACTION: Final[Table] = (
    Row(
        "shell command bash sh script run exec cmd raw inline runshellscript expect zsh",
        "",
        ("{shell}",),
    ),
    Row(
        "powershell pwsh ps winshell wincommand runpowershellscript ps1 posh",
        "use 'ExecutePowerShell', which runs on Windows only",
        ("ExecutePowerShell",),
    ),
    Row("uses", "use a command in a script; GitHub's actions cannot run here"),
    Row("executescript executeshell executecommand runscript runcommand", "", ("{shell}",)),
    Row("binary program executable", "", ("ExecuteBinary",)),
    Row(
        "geturl wget curl download fetch webrequest httpget wingeturl downloadfile uri",
        "use 'WebDownload', or curl in a step of {shell}",
    ),
    Row("downloadcontent s3sync awss3 s3object s3", "use 'S3Download' or 'S3Upload'"),
    Row("copy cp wincopy synchronize rsync add", "use 'CopyFile' or 'CopyFolder'"),
    Row("template writefile writefiles wintemplate", "use 'CreateFile'"),
    Row("file winfile", "use 'CreateFile', 'CreateFolder', 'DeleteFile' or 'SetFilePermissions'"),
    Row("move mv rename", "use 'MoveFile' or 'MoveFolder'"),
    Row("delete remove rm unlink", "use 'DeleteFile' or 'DeleteFolder'"),
    Row("rmdir removefolder removedirectory", "", ("DeleteFolder",)),
    Row("mkdir makedir createdirectory directory folder", "", ("CreateFolder",)),
    Row("touch write createfiles", "", ("CreateFile",)),
    Row("append blockinfile", "", ("AppendFile",)),
    Row("cat slurp read type", "", ("ReadFile",)),
    Row("ls dir find", "", ("ListFiles",)),
    Row("ln symlink link", "", ("CreateSymlink",)),
    Row("chmod permissions", "use 'SetFilePermissions' or 'SetFolderPermissions'"),
    Row("chown owner acl", "use 'SetFileOwner' or 'SetFolderOwner'"),
    Row("lineinfile replace sed", "use 'AppendFile', or sed in a step of {shell}"),
    Row(
        "apt aptget yum dnf package packages zypper pip npm gem chocolatey snap brew installpackage"
        " configurepackage install winchocolatey apk",
        "install it with a command in a step of {shell}",
    ),
    Row("service systemd systemctl winservice", "start it with a command in a step of {shell}"),
    Row(
        "user group useradd authorizedkey cron mount sysctl hostname timezone",
        "use a command in a step of {shell}",
    ),
    Row(
        "unarchive archive tar unzip zip winunzip git gitclone docker",
        "use a command in a step of {shell}",
    ),
    Row("debug print echo log message", "use 'echo' in a step of {shell}"),
    Row("sleep pause wait waitfor", "use 'sleep' in a step of {shell}"),
    Row("fail check test assertthat", "", ("Assert",)),
    Row("setfact setvariable env arg", "declare it in 'parameters' or 'constants'"),
    Row("restart winreboot shutdown rebootinstance windowsrestart", "", ("Reboot",)),
    Row("update upgrade winupdates windowsupdate packageupdate osupdate patch", "", ("UpdateOS",)),
    Row("winpackage msi msiexec installsoftware", "use 'InstallMSI' or 'UninstallMSI'"),
    Row("uninstall", "use 'UninstallMSI', or a command in a step of {shell}"),
    Row("winregedit registry regedit reg", "", ("SetRegistry",)),
    Row(
        "include includetasks importtasks includerole document rundocument component",
        "",
        ("ExecuteDocument",),
    ),
    Row("workdir", "start the script with 'cd FOLDER'"),
    Row("from entrypoint expose volume label", "remove the step: it belongs to a Dockerfile"),
    Row(
        "python python3 perl ruby node", "use 'ExecuteBinary', or the program in a step of {shell}"
    ),
)
"""Actions."""

ON_FAILURE: Final[Table] = (
    Row("fail stop exit terminate error halt cancel no never false", "", ("Abort",)),
    Row("skip pass success warn ignoreerrors true yes always", "", ("Ignore",)),
    Row("next proceed resume goon continueonerror", "", ("Continue",)),
    Row("retry", "use 'maxAttempts' for more attempts; 'onFailure' decides what follows the last"),
)
"""Values of ``onFailure``."""

BRANCH: Final[Table] = (
    Row("run yes true continue proceed go", "", ("Execute",)),
    Row("ignore no false next none", "", ("Skip",)),
    Row("fail stop exit error", "", ("Abort",)),
)
"""Values of ``then`` and ``else``."""

CHOICE: Final[Table] = (
    Row("regsz string text", "", ("SZ",)),
    Row("regexpandsz expandstring", "", ("EXPAND_SZ",)),
    Row("regmultisz multistring list", "", ("MULTI_SZ",)),
    Row("regdword int integer number dword32", "", ("DWORD",)),
    Row("regqword long", "", ("QWORD",)),
    Row("regbinary bytes hex", "", ("BINARY",)),
    Row("never no none false suppress reallysuppress", "", ("Skip",)),
    Row("always yes true", "", ("Force",)),
    Row("auto ifneeded ifrequired", "", ("Allow",)),
    Row("ascii latin1 ansi iso88591 cp1252 windows1252 usascii", "", ("utf8",)),
)
"""Values of inputs that accept a few words."""

PHASE_NAME: Final[Table] = (
    Row(
        "install setup prebuild postbuild provision run main deploy configure prepare",
        "",
        ("build",),
    ),
    Row("verify check validation", "", ("validate",)),
    Row("tests testing qa", "", ("test",)),
)
"""Names of phases."""
