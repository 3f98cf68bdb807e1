"""Real compilers and interpreters, asked which files they can parse. What a file says is never run.

Each oracle takes paths and says of each, in order, whether its syntax is right. Types, names and missing headers are no
matter; where a compiler mixes them up with syntax, what it says is sorted by its words. Perl alone runs something to
parse at all, `use` and `BEGIN`: ask it only about files that the machine has installed, and mutations of them.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 300.0
"""What one process may take."""

Paths = Sequence[Path]

_NODE = """
const fs = require("fs"), vm = require("vm");
const parses = make => {
  try { make(); return true; } catch (error) { if (error.name !== "SyntaxError") throw error; return false; }
};
const accepts = path => {
  const source = fs.readFileSync(path, "utf8").replace(/^#!.*/, "");
  const names = "exports, require, module, __filename, __dirname";
  return parses(() => new vm.Script(`(function (${names}) {${source}\\n})`))
    || parses(() => new vm.SourceTextModule(source));
};
console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(accepts)));
"""

_JAVA = """
import com.sun.source.util.JavacTask;
import java.nio.file.*;
import java.util.*;
import javax.tools.*;

public class Oracle {
  public static void main(String[] args) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
    String release = String.valueOf(Runtime.version().feature());
    for (String path : Files.readAllLines(Path.of(args[0]))) {
      boolean[] good = {true};
      DiagnosticListener<JavaFileObject> listener = d -> good[0] &= d.getKind() != Diagnostic.Kind.ERROR;
      List<String> options = List.of("--enable-preview", "--release", release);
      Iterable<? extends JavaFileObject> file = files.getJavaFileObjects(path);
      ((JavacTask) compiler.getTask(null, files, listener, options, null, file)).parse();
      System.out.println(good[0]);
    }
  }
}
"""

_GO = """
package main

import ("bufio"; "fmt"; "go/parser"; "go/token"; "os")

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_, err := parser.ParseFile(token.NewFileSet(), lines.Text(), nil, parser.SkipObjectResolution)
		fmt.Println(err == nil)
	}
}
"""

_RUBY = """
require "json"
accepts = lambda do |path|
  RubyVM::InstructionSequence.compile(File.read(path, encoding: "UTF-8"))
  true
rescue SyntaxError, ArgumentError, EncodingError
  false
end
puts JSON.generate(JSON.parse(STDIN.read).map(&accepts))
"""

_PHP = """
$accepts = function ($path) {
  try { token_get_all(file_get_contents($path), TOKEN_PARSE); return true; } catch (ParseError $error) { return false; }
};
echo json_encode(array_map($accepts, json_decode(stream_get_contents(STDIN))));
"""

# What gcc says of syntax, less what it says of types and names.
_GCC_SYNTAX = re.compile(
    r"(?:error|warning): (?:expected |stray |missing terminating|unterminated|invalid preprocessing|unbalanced|#"
    r"|version control conflict|.else. without|a function-definition is not allowed|extraneous)"
    r"|without a previous|at end of input"
)


@dataclass(frozen=True)
class Oracle:
    """A compiler: the program that must be there, and how it is asked."""

    program: str
    accepts: Callable[[Paths], list[bool]]

    def is_there(self) -> bool:
        """Say whether this machine has it."""
        return shutil.which(self.program) is not None


def _run(command: Sequence[str], given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: PLW1510 - what it ends with is the answer
        command,
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        env={**os.environ, **environment},
    )


def _python(paths: Paths) -> list[bool]:
    return [_compiles(path) for path in paths]


def _compiles(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _by_script(*command: str) -> Callable[[Paths], list[bool]]:
    """Ask a program that reads a JSON list of paths and writes one of answers."""

    def accepts(paths: Paths) -> list[bool]:
        answers: list[bool] = json.loads(_run(command, json.dumps([str(path) for path in paths])).stdout)
        return answers

    return accepts


def _java(paths: Paths) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        source, wanted = Path(folder, "Oracle.java"), Path(folder, "paths")
        source.write_text(_JAVA)
        wanted.write_text("\n".join(map(str, paths)))
        return _lines(_run(["java", "--add-modules", "jdk.compiler", str(source), str(wanted)]).stdout)


def _go(paths: Paths) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "main.go")
        source.write_text(_GO)
        return _lines(_run(["go", "run", str(source)], "\n".join(map(str, paths))).stdout)


def _lines(out: str) -> list[bool]:
    return [line == "true" for line in out.split()]


def _one_by_one(accepts: Callable[[Path], bool]) -> Callable[[Paths], list[bool]]:
    return lambda paths: [accepts(path) for path in paths]


def _exits_well(*command: str, **environment: str) -> Callable[[Paths], list[bool]]:
    return _one_by_one(lambda path: _run([*command, str(path)], **environment).returncode == 0)


def _gcc(*command: str) -> Callable[[Paths], list[bool]]:
    def accepts(path: Path) -> bool:
        out = _run([*command, "-fsyntax-only", "-w", "-fmax-errors=50", "-I", str(path.parent), str(path)])
        return out.returncode == 0 or _GCC_SYNTAX.search(out.stderr) is None

    return _one_by_one(accepts)


ORACLES: Mapping[str, Oracle] = {
    "python": Oracle("python3", _python),
    "javascript": Oracle("node", _by_script("node", "--no-warnings", "--experimental-vm-modules", "-e", _NODE)),
    "java": Oracle("javac", _java),
    "go": Oracle("go", _go),
    "rust": Oracle("rustc", _exits_well("rustc", "-Zparse-crate-root-only", "--edition", "2021", RUSTC_BOOTSTRAP="1")),
    "c": Oracle("gcc", _gcc("gcc", "-xc", "-std=gnu17")),
    "cpp": Oracle("g++", _gcc("g++", "-xc++", "-std=gnu++20")),
    "shell": Oracle("bash", _exits_well("bash", "-n")),
    "perl": Oracle("perl", _exits_well("perl", "-c")),
    "ruby": Oracle("ruby", _by_script("ruby", "-W0", "-e", _RUBY)),
    "php": Oracle("php", _by_script("php", "-d", "short_open_tag=1", "-r", _PHP)),
    "csharp": Oracle("mcs", _exits_well("mcs", "--parse", "-langversion:experimental")),
}
