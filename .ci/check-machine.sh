#!/bin/sh
# One clear line when the machine lacks what codemill cannot bring along: Python 3.10 or newer, Java 17 or newer.
python=$1

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
  echo "codemill: Python 3.10 or newer is needed; found $("$python" --version 2>&1). Name another with PYTHON=..." >&2
  exit 2
}

java=java
[ -n "$JAVA_HOME" ] && java=$JAVA_HOME/bin/java
found=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${found:-0}" -ge 17 ] || {
  echo "codemill: Java 17 or newer is needed; found ${found:-none} ($java). Install one, or set JAVA_HOME" >&2
  exit 2
}
