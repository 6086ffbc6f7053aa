"""How programs on Windows read their command line."""


def cut_up(line: str) -> list[str]:
    """Split ``line`` as the Microsoft C library does."""
    first, line = line[1:].split('"', 1) if line[:1] == '"' else [*line.split(maxsplit=1), ""][:2]
    arguments = [first]
    position = 0
    while True:
        while position < len(line) and line[position] in " \t":
            position += 1
        if position == len(line):
            return arguments
        word, quoted = "", False
        while position < len(line) and (quoted or line[position] not in " \t"):
            slashes = len(line[position:]) - len(line[position:].lstrip("\\"))
            position += slashes
            before_quote = line[position : position + 1] == '"'
            if not before_quote:
                word += "\\" * slashes
                if slashes:
                    continue
                word += line[position]
                position += 1
                continue
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            position += 1
        arguments.append(word)
