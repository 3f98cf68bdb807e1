"""The language of files whose paths leave it open: what they say themselves, and what is in them."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codemill.core.ambiguity import MAX_REPEATS, pattern_fault
from codemill.core.detection import Detection, detect
from codemill.core.languages import LanguageTable

TABLE = LanguageTable.from_mapping(
    yaml.safe_load((Path(__file__).parents[2] / "conf" / "languages.yaml").read_text(encoding="utf-8"))
)


def language(path: str, text: str) -> str | None:
    return detect(path, text, TABLE).language


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("Makefile", "#!/usr/bin/python3\n", Detection("makefile", "name")),
        ("a.py", "#!/bin/sh\n# vim: ft=ruby\n", Detection("python", "extension")),
        ("run", "#!/usr/bin/python3\n", Detection("python", "shebang")),
        ("run", "#!/bin/sh\n# -*- mode: python -*-\n", Detection("python", "modeline")),
        ("run", "#!/usr/bin/perl\n# vim: ft=ruby\n", Detection("perl", "shebang")),
        ("run.cgi", "# vim: set ft=ruby:\n", Detection("ruby", "modeline")),
        ("a.h", "namespace a {}\n", Detection("cpp", "content")),
        ("a.h", "int a(void);\n", Detection("c", "extension")),
        ("a.h", "", Detection("c", "extension")),
        ("LICENSE", "Licensed under the terms of the class, import it.\n", Detection(None, None)),
        ("README", "Usage:\n\n    #!/bin/sh\n    import this\n", Detection(None, None)),
        ("NOTICE", "(c) function of the namespace\n", Detection(None, None)),
        ("", "", Detection(None, None)),
    ],
)
def test_the_surest_evidence_counts_first(path: str, text: str, found: Detection) -> None:
    assert detect(path, text, TABLE) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#!/usr/bin/env python3.11", "python"),
        ("#!/usr/bin/env -S python3 -u", "python"),
        ("#!/usr/bin/env -Spython3 -u", "python"),
        ("#!/usr/bin/env -i PATH=/bin LANG=C ruby2.7 -w", "ruby"),
        ("#! /opt/node-18/bin/node", "javascript"),
        ("#!/usr/bin/env node", "javascript"),
        ("#!/usr/bin/env -S deno run --allow-net", "typescript"),
        ("#!/usr/local/bin/perl5.30.0 -w", "perl"),
        ("#!perl", "perl"),
        ("#!@PERL@ -w", "perl"),
        ("#!C:\\Ruby\\bin\\ruby", "ruby"),
        ("#!/usr/bin/tclsh8.6", "tcl"),
        ("#!/usr/bin/Rscript --vanilla", "r"),
        ("#!/bin/bash -e", "shell"),
        ("#!/usr/bin/zsh", "zsh"),
        ('#!/bin/sh\n# restarts itself \\\nexec tclsh "$0" ${1+"$@"}', "tcl"),
        ("#!/bin/sh\neval 'exec perl -x -wS $0 ${1+\"$@\"}'\n  if 0;", "perl"),
        ('#!/bin/sh\nexec /usr/bin/env guile -s "$0" "$@"\n!#', "scheme"),
        ('#!/bin/sh\nexec node "$(dirname "$0")/cli.js" "$@"', "shell"),
        ('#!/bin/sh\nexec python3 "$0.real" "$@"', "shell"),
        ('#!/bin/sh\nexec unheard-of "$0"', "shell"),
        ("#! /usr/bin/env nix-shell\n#! nix-shell -i python3 -p python3", "python"),
        ("#!/usr/bin/env", None),
        ("#!", None),
        ("#!/usr/bin/unheard-of", None),
        (" #!/bin/sh", None),
    ],
)
def test_shebangs(line: str, found: str | None) -> None:
    assert language("script", line + "\n") == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# vim: set ft=python :", "python"),
        ("// vim: ts=4:filetype=cpp", "cpp"),
        ("/* vim: set sw=2 syntax=objc et: */", "objective_c"),
        ('" vi:ft=vim', "vim_script"),
        ("# ex: ts=4 sw=4 et filetype=sh", "shell"),
        ("# vim600: ft=perl", "perl"),
        ("# -*- ruby -*-", "ruby"),
        ("// -*- C++ -*-", "cpp"),
        ("# -*- coding: utf-8; mode: python; -*-", "python"),
        (";; -*- Mode: Common-Lisp -*-", "common_lisp"),
        ("# -*- mode: python-ts -*-", "python"),
        ("# -*- coding: utf-8 -*-", None),
        ("# vim: set ts=4:", None),
        ("# vim: ft=unheardof", None),
        ("we use vim, ft=python", None),
    ],
)
def test_modelines_in_the_first_and_the_last_lines(line: str, found: str | None) -> None:
    assert language("script", f"one\n{line}\n") == found
    assert language("script", "one\n" * 100 + f"{line}\n" + "one\n" * 100) is None
    assert language("script", "one\n" * 100 + f"{line}\n") == (None if "-*-" in line else found)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("scanner.l", "/* -*- C -*- */\n%option noyywrap\n%%\n", "lex"),
        ("a.d.ts", "#!/usr/bin/env node\nexport declare const a: number;\n", "typescript"),
        ("a.h", "/* -*- C -*- */\nclass A {};\n", "cpp"),
        ("a.h", "// -*- C++ -*-\n#define A 1\n", "cpp"),
    ],
)
def test_an_ambiguous_extension_believes_what_it_may_be(path: str, text: str, found: str) -> None:
    assert language(path, text) == found


# Extension: language: texts in it, each of another kind.
CONTENTS: dict[str, dict[str | None, list[str]]] = {
    ".h": {
        "c": [
            '#ifdef __cplusplus\nextern "C" {\n#endif\nint a(void);\n#ifdef __cplusplus\n}\n#endif\n',
            "#if defined(__cplusplus)\n#if A\nclass B;\n#endif\nnamespace c {}\n#else\ntypedef struct b b;\n#endif\n",
            "struct a { int class; int new; void *template; const char *namespace; };\nint delete(int virtual);\n",
            "/* A class A { public: } in namespace b; std::string */\n// template <class T>\nint a; // a::b\n",
            'static const char *a = "b::c"; /* class */\nenum e { public_key, private };\n',
            "#ifdef __OBJC__\n@class NSString;\n#endif\nvoid a(int);\n",
            "#ifndef __cplusplus\ntypedef int bool;\n#else\nusing a = b;\n#endif\n",
            "#define A(x) ((x) & (x))\nunsigned b : 4;\n",
        ],
        "cpp": [
            "#include <string>\n",
            "#pragma once\nnamespace a::b {\nint c();\n}\n",
            "class A;\nvoid b(A *a);\n",
            "class A\n  : public B\n{\n};\n",
            "template<typename T> T a(T b);\n",
            "int a(std::size_t b);\n",
            "constexpr int a = 1;\n",
            "struct A { virtual ~A() = default; };\n",
            "void a(const B &c);\n",
            "int *a = nullptr;\n",
            "enum class A { b };\n",
            'extern "C" int a(void);\n',
            "#ifdef __cplusplus\nclass A {};\n#endif\n",
            "#ifndef __cplusplus\n#error C++ only\n#endif\nint a();\n",
        ],
        "objective_c": [
            "@interface A : B\n- (void)c;\n@end\n",
            "#import <Foundation/Foundation.h>\n",
            "@class A;\nvoid b(A *a);\n",
            "typedef NS_ENUM(int, A) { b };\n",
            "#include <vector>\n@protocol A\n@end\n",
        ],
        "cuda": [
            "__global__ void a(int *b);\n",
            "template <class T> __device__ inline T a(T b);\n",
            "void a() { b<<<1, 2>>>(c); }\n",
        ],
    },
    ".hh": {"cpp": ["class A {};\n", "int a;\n", ""], "hack": ["<?hh\n", "<?hh // strict\n", "<?hh\nclass A {}\n"]},
    ".m": {
        "objective_c": [
            '#import "A.h"\n@implementation A\n@end\n',
            '#include <stdio.h>\nint main() { NSLog(@"a"); }\n',
            "@interface A ()\n@property int b;\n@end\n",
        ],
        "matlab": [
            "function a = b(c)\n% B  adds\na = c + 1;\nend\n",
            "## Copyright (C) A\n## -*- texinfo -*-\nfunction a ()\nendfunction\n",
            "x = [1, 2; 3, 4];\ndisp(x)\n",
            "classdef A < handle\nend\n",
        ],
        "mathematica": [
            'BeginPackage["A`"]\n',
            "(* a *)\nf[x_] := x + 1\n",
            "a[b_, c_] := Module[{d}, d]\n",
        ],
        "mercury": [":- module a.\n", "% a\n:- pred a(int::in) is det.\n", ":- import_module io.\n"],
        None: ["A: module\n{\n};\n", "implement A;\n", "namespace a-b;\n"],
    },
    ".pl": {
        "perl": [
            "use strict;\nmy $a = 1;\n",
            "#!/usr/bin/perl\nprint 1;\n",
            "package A;\nsub b { 1 }\n1;\n",
            "print 'a';\n",
        ],
        "prolog": [
            ":- module(a, [b/1]).\n",
            "a(X) :- b(X), c(X).\n",
            "% facts\nparent(tom, bob).\n",
            "sentence --> noun, verb.\n",
        ],
        "raku": ["use v6;\n", "unit module A;\n", "my class A {\n}\n"],
    },
    ".pm": {
        "perl": ["package A;\n1;\n", "use strict;\n", ""],
        "raku": ["use v6;\n", "unit class A;\n", "role A {\n}\n"],
        None: ["/* XPM */\nstatic char *a[] = {};\n", "/*XPM*/\n", "\n/* XPM */\n"],
    },
    ".t": {
        "perl": ["use Test::More;\nok(1);\n", "#!./perl -w\nprint 1;\n", "my $a = 1;\n"],
        "raku": ["use v6;\nuse Test;\n", "unit module A;\n", "my class A {\n}\n"],
        "shell": ["#!/bin/sh\ntrue\n", "#!/usr/bin/env bash\ntrue\n", "#!/bin/bash\n"],
        None: ["Set up:\n\n  $ hg init\n", "  $ true\n  > a\n", "var a : int := 1\n"],
    },
    ".v": {
        "verilog": [
            "module a(input b);\nendmodule\n",
            "`timescale 1ns/1ps\nmodule a;\n  wire b;\nendmodule\n",
            "(* keep *) module a;\nendmodule\n",
        ],
        "coq": [
            "Require Import List.\n",
            "(* a *)\nLemma a : True.\nProof. exact I. Qed.\n",
            "Definition a := 1.\n",
        ],
        "v": ["fn main() {\n}\n", "module a\n\nimport os\n", "pub struct A {\n}\n"],
    },
    ".ts": {
        "typescript": ["export const a: number = 1;\n", "const a = <T>(b: T) => b;\n", ""],
        "xml": [
            '<?xml version="1.0"?>\n<!DOCTYPE TS>\n<TS version="2.1"/>\n',
            "<!DOCTYPE TS><TS></TS>\n",
            '<TS version="2.0" language="de">\n',
        ],
    },
    ".tsx": {
        "tsx": ["export const A = () => <p/>;\n", "<div/>;\n", ""],
        "xml": ['<?xml version="1.0"?>\n<tileset/>\n', '\n<?xml version="1.1"?>\n', "<!DOCTYPE tileset>\n"],
    },
    ".rs": {
        "rust": ["fn main() {}\n", "#![no_std]\n", "use a::b;\n"],
        "renderscript": ["#pragma version(1)\n", "#pragma rs java_package_name(a)\n", "// a\n#pragma version(1)\n"],
        "xml": ['<?xml version="1.0"?>\n', '\n<?xml version="1.0"?>\n', "<!DOCTYPE a>\n"],
    },
    ".inc": {
        "php": ["<?php\n", "<html>\n<?php echo 1 ?>\n", "<? echo 1 ?>\n"],
        "html": ["<div>a</div>\n", "<!DOCTYPE html>\n", "<table>\n"],
        "xml": ['<?xml version="1.0"?>\n', "<!DOCTYPE a>\n", '\n<?xml version="1.0"?>\n'],
        "bitbake": ['SUMMARY = "a"\n', "inherit autotools\n", "do_install() {\n}\n", 'SRC_URI += "git://a;b=c"\n'],
        "pascal": ["{$ifdef A}\n{$endif}\n", "procedure a;\nbegin\nend;\n", "const\n  a = 1;\n", "  a := b;\n"],
        "sql": ["CREATE TABLE a (b int);\n", "INSERT INTO a VALUES (1);\n", "DROP TABLE a;\n"],
        "assembly": ["%macro a 1\n%endmacro\n", "\tmov eax, 1\n", "; a\na equ 1\n", "\tdb 1, 2\n"],
        "cpp": ["#include <vector>\n", "namespace a {\n}\n", "template <class T> class A {};\n"],
        "c": ["#define A 1\n", "0x1, 0x2,\n", "static int a(void)\n{\n}\n", '{ "a", 1 },\n', "AB(c, d)\n"],
        "makefile": ["A := b\n", "all: a\n\techo\n", "A ?= b\n"],
        "perl": ["use strict;\n", "my $a = 1;\n", "#!perl\n"],
        "shell": ["#!/bin/sh\n", "#!/bin/bash\n", "#!/usr/bin/env bash\n"],
        None: ["--source include/a.inc\n", "--disable_warnings\n", ".SH NAME\n", "some words\n"],
    },
    ".fs": {
        "fsharp": ["module A\nlet a = 1\n", "namespace A.B\n", "open System\n", "let a b = b\n"],
        "forth": [": a ( n -- n ) 1 + ;\n", "\\ a\nvariable b\n", "( a comment ) create c\n"],
        "glsl": ["#version 330\n", "precision mediump float;\n", "void main() {\n}\n", "uniform sampler2D a;\n"],
        "renderscript": ["#pragma version(1)\n", "#pragma rs_fp_relaxed\n", "#pragma rs java_package_name(a)\n"],
    },
    ".f": {
        "fortran": ["C     a\n      program a\n", "      integer i\n", "* a\n      end\n"],
        "forth": [": a 1 + ;\n", "\\ a\n", "( a ) variable b\n"],
    },
    ".d": {
        "d": [
            "module a;\n",
            "// http://a.b/c.d: e\nimport std.stdio;\n",
            "extern (C):\nint a;\n",
            "/* a: b */ int c;\n",
        ],
        "makefile": ["a.o: a.c a.h\n", "obj/a.o: \\\n  a.c\n", "/b/a.o: /b/a.c\n\na.h:\n"],
        "dtrace": ["provider a {\n  probe b();\n};\n", "#pragma D option quiet\n", "syscall::open:entry\n{\n}\n"],
        "shell": ["#!/bin/sh\ntrue\n", "#!/bin/bash\n", "#!/usr/bin/env bash\n"],
        None: ["Long: cookie\nShort: b\n---\nsome words;\n", "c: a\nLong: b\n", "some words\n"],
    },
    ".cl": {
        "opencl": ["__kernel void a(__global int *b) {}\n", "#define A 1\n", "float4 a(float4 b) { return b; }\n"],
        "common_lisp": ["(in-package :a)\n", ";; a\n(a)\n", "(defun a () 1)\n"],
        None: ["class A inherits B {\n};\n", "class A {\n};\n", "-- a\nclass Main inherits IO {\n"],
    },
    ".l": {
        "lex": ["%%\na { return 1; }\n%%\n", "%{\n#include <a.h>\n%}\n", "%option noyywrap\n"],
        "common_lisp": ["(in-package :a)\n", "(defun a () 1)\n", "; a\n(a)\n"],
        "picolisp": ["# 01jan20\n(a)\n", "(de a (b) (+ b 1))\n", "(class +A +B)\n"],
        "roff": ['.\\" a\n.TH A 1\n', ".TH A 1\n", ".SH NAME\n"],
    },
    ".ll": {
        "llvm_ir": ["define i32 @a() {\n}\n", "; a\n", "declare void @a()\n"],
        "lex": ["%%\na { }\n%%\n", "%option c++\n", "%{\n%}\n"],
    },
    ".yy": {"yacc": ["%token A\n%%\n", "/* a */\n%{\n", "%%\n"], "json": ['{"a": 1}\n', "{\n}\n", '\n{ "a": [] }\n']},
    ".lsp": {
        "common_lisp": ["(defun a () 1)\n", "(in-package :a)\n(define b)\n", '(load "a.lsp")\n'],
        "newlisp": ["(define (a b) (+ b 1))\n", "(context 'A)\n", "#!/usr/bin/newlisp\n", ";; @module a\n"],
    },
    ".pro": {
        "qmake": ["TEMPLATE = app\n", "QT += widgets\n", "include(a.pri)\n"],
        "prolog": [":- module(a, []).\n", "a(X) :- b(X).\n", "a(b, c).\n"],
        "idl": ["pro a, b\n  return\nend\n", "function a, b\nend\n", "; a\nendfor\n"],
        None: ["-keep class a.** { *; }\n", "# a\n-dontwarn a.**\n", "some words\n"],
    },
    ".plt": {
        "prolog": [":- begin_tests(a).\n", "test(a) :- b.\n", ""],
        None: ["set terminal png\nplot 'a'\n", "splot x\n", "unset key\n"],
    },
    ".as": {
        "actionscript": ["package a {\n}\n", "public class A {}\n", "var a:int = 1;\n"],
        "assembly": ["\t.text\n\t.globl a\n", "_start:\n\tmov %eax, %ebx\n", "section .text\n"],
        "angelscript": ["void main() {\n}\n", "class A {\n}\n", '#include "a.as"\n'],
    },
    ".mod": {
        "modula2": ["MODULE a;\nEND a.\n", "IMPLEMENTATION MODULE a;\n", "DEFINITION MODULE a;\n"],
        "dtd": ['<!ENTITY % a "b">\n', "<!ELEMENT a (b)>\n", "<!ATTLIST a b CDATA #IMPLIED>\n"],
        "xml": ['<?xml version="1.0"?>\n<a/>\n', "<!DOCTYPE a>\n", '\n<?xml version="1.0"?>\n'],
        "ampl": ["param a;\n", "var x >= 0;\n", "minimize z: x;\n"],
        None: ["some words\n", "", "a.ko\n"],
    },
    ".cls": {
        "tex": ["\\ProvidesClass{a}\n", "% a\n", ""],
        "visual_basic": ["VERSION 1.0 CLASS\n", 'Attribute VB_Name = "a"\n', "Option Explicit\n"],
        "apex": ["public class A {\n}\n", "@isTest\nprivate class A {}\n", "global with sharing class A {}\n"],
        None: ["Class A.B Extends C\n{\n}\n", "CLASS a.b INHERITS c:\n", "USING a.b.*.\n"],
    },
    ".e": {
        "eiffel": ["class A\nfeature\nend\n", "note\n\ta: b\n", "deferred class A\n"],
        None: ["include std/io.e\n", "global function a(atom b)\n", "procedure a()\nend procedure\n", "<'\n"],
    },
    ".ex": {
        "elixir": ["defmodule A do\nend\n", "import A\n", "IO.puts(1)\n"],
        None: ["include std/io.e\n", "function a(atom b)\nend function\n", "procedure a()\nend procedure\n"],
    },
    ".gd": {
        "gdscript": ["extends Node\n", "func a():\n\tpass\n", "class_name A\n"],
        "gap": ['DeclareOperation( "A", [ IsB ] );\n', "##  a\n", "#W  a.gd\n"],
    },
    ".g": {
        "antlr": ["grammar A;\n", "lexer grammar A;\n", "class A extends Parser;\n"],
        "gap": ["a := 1;\n", 'ReadPackage( "a" );\n', "##  a\n"],
        None: ["some words\n", "", "{ a }\n"],
    },
    ".j": {
        "jasmin": [".class public A\n", "; a\n.super java/lang/Object\n", ".method public a()V\n"],
        "objective_j": ["@import <Foundation/Foundation.j>\n", "@implementation A : B\n@end\n", "@class A\n"],
        None: ["some words\n", "", "{ a }\n"],
    },
    ".re": {
        "reason": ["let a = 1;\n", "module A = {};\n", "open A;\n"],
        "c": ["#include <stdio.h>\n/*!re2c\n*/\n", "/*!re2c a = [0-9]; */\n", "#define A 1\n"],
        "cpp": ["#include <string>\n/*!re2c\n*/\n", "namespace a {}\n", "std::string a;\n"],
    },
    ".sc": {
        "scala": ["object A {\n}\n", "import a.b\nval c = 1\n", "def a(b: Int) = b\n"],
        "supercollider": ["A : B {\n}\n", "A {\n  var <>a;\n}\n", "+ A {\n}\n", "a = { arg b; b };\n"],
    },
    ".sch": {
        "scheme": ["(define a 1)\n", "; a\n", ""],
        "xml": ['<?xml version="1.0"?>\n', "<!DOCTYPE eagle>\n", '\n<?xml version="1.0"?>\n'],
        None: ["EESchema Schematic File\n", "(kicad_sch (version 1))\n", "v 20110115 2\n"],
    },
    ".sls": {
        "scheme": ["(library (a))\n", "; a\n", "#!r6rs\n(library (a))\n"],
        "yaml": ["nginx:\n  pkg.installed\n", "{% set a = 1 %}\n", "# a\ninclude:\n  - b\n"],
    },
    ".bb": {
        "bitbake": ['SUMMARY = "a"\n', "require a.inc\n", "inherit cmake\n"],
        "clojure": ["(ns a)\n", "; a\n", "#!/usr/bin/env bb\n(a)\n"],
        None: ["Graphics 640,480\n", "Function a()\nEnd Function\n", "Global a\n"],
    },
    ".pp": {
        "pascal": ["unit a;\ninterface\n", "program a;\nbegin\nend.\n", "{ a }\nuses b;\n"],
        "puppet": ["class a::b (\n) {\n}\n", "# a\n", "file { '/a': ensure => file }\n", "type A::B = String\n"],
    },
    ".ml": {
        "ocaml": ["let a = 1\n", "module A = struct end\n", "let rec a = function _ -> 1\n"],
        "standard_ml": ["fun a b = b\n", "structure A = struct end\n", "signature A = sig end\n"],
        None: ["<html>\n", "<ml>\n", "\n<a/>\n"],
    },
    ".es": {
        "javascript": ["export const a = 1;\n", "// a\n", ""],
        "erlang": ["#!/usr/bin/env escript\n", "%% a\n", "main(_) -> ok.\n"],
    },
    ".md": {
        "markdown": ["# A\n", "; a\n", ""],
        None: [";; a\n(define_insn a)\n", '(define_attr "a")\n', "\n;; a\n"],
    },
    ".asc": {"asciidoc": ["= A\n", "words\n", ""], None: [f"-----BEGIN PGP {a}-----\n" for a in ("A", "B", "\n")]},
    ".cfg": {"ini": ["[a]\n", "a = 1\n", ""], "xml": ['<?xml version="1.0"?>\n', "<!DOCTYPE a>\n", "\n<?xml \n"]},
    ".frag": {
        "glsl": ["#version 330\n", "void main() { gl_FragColor = a; }\n", ""],
        "javascript": ["(function () {\n", "var a = 1;\n", "function a() {}\n"],
    },
    ".st": {
        "smalltalk": ["Object subclass: #A\n", '"a"\n', "a := 1.\n"],
        None: ["group a;\n", "a(b) ::= <<\n>>\n", "PROGRAM a\nEND_PROGRAM\n", "<html>\n"],
    },
    ".tag": {"jsp": ["<%@ tag %>\n", "<p/>\n", ""], "xml": ['<?xml version="1.0"?>\n', "<!DOCTYPE a>\n", "<?xml \n"]},
    ".vba": {
        "visual_basic": ["Sub a()\nEnd Sub\n", "' a\n", ""],
        "vim_script": ['" Vimball Archiver by A\n', "UseVimball\nfinish\n", '"  Vimball Archiver\n'],
    },
    ".mm": {
        "objective_cpp": ["@implementation A\n@end\n", "namespace a {}\n", ""],
        "roff": [".TH A 7\n", ".SH NAME\n", '.\\" a\n'],
    },
    ".php": {"php": ["<?php\n", "<p>\n", ""], "hack": ["<?hh\n", "<?hh // strict\n", "<?hh\nclass A {}\n"]},
    "": {
        "zsh": ["#compdef a\n", "#autoload\n", "#compdef -k a b\n"],
        "xml": ['<?xml version="1.0"?>\n', "<!DOCTYPE plist>\n", '\n<?xml version="1.0"?>\n'],
        "php": ["<?php\n", "<?php echo 1;\n", "<?php\nclass A {}\n"],
        None: ["class A {};\n", "<!DOCTYPE html>\n", "some <?xml here\n", ""],
    },
}
CASES = [
    (extension, name, text) for extension, group in CONTENTS.items() for name, texts in group.items() for text in texts
]


@pytest.mark.parametrize(("extension", "name", "text"), CASES)
def test_content_decides(extension: str, name: str | None, text: str) -> None:
    assert language(f"a{extension}", text) == name
    assert language(f"a{extension}", text.replace("\n", "\r\n")) == name


def test_every_choice_has_examples() -> None:
    for extension, ambiguity in TABLE.ambiguous.items():
        if extension in (".for", ".n"):  # the rules of .f; tables of nroff
            continue
        choices = {rule.language for rule in ambiguity.rules}
        assert choices <= set(CONTENTS[extension]), extension
    assert min(len(texts) for group in CONTENTS.values() for texts in group.values()) >= 3


@pytest.mark.parametrize(
    ("program", "name"), [(program, row.name) for row in TABLE.languages for program in row.interpreters]
)
def test_every_interpreter_starts_its_language(program: str, name: str) -> None:
    assert detect("a", f"#!/usr/bin/env {program}\n", TABLE) == Detection(name, "shebang")


@pytest.mark.parametrize(
    ("mode", "name"), [(mode, row.name) for row in TABLE.languages for mode in (row.name, *row.modes)]
)
def test_every_mode_means_its_language(mode: str, name: str) -> None:
    assert detect("a", f"# -*- {mode} -*-\n", TABLE) == Detection(TABLE.by_mode(mode), "modeline")
    assert detect("a", f"# vim: ft={mode}\n", TABLE).language == TABLE.by_mode(mode)
    assert TABLE.by_mode(mode) == name


@pytest.mark.parametrize(
    ("pattern", "safe"),
    [
        (r"^[ \t]{0,9}\w{1,80}", True),
        (r"(?:a|b){0,9}", True),
        (r"(?:a{3}){0,9}", True),
        (r"(?:a{0,9})?", True),
        ("a{0,1000}", True),
        (f"a{{0,{MAX_REPEATS + 1}}}", False),
        ("a*", False),
        ("a+?", False),
        ("a{3,}", False),
        ("(?:a{1,9}){1,9}", False),
        ("(?=(?:a?){9})b", True),
        ("(?:b|(?!a{1,2})){1,9}", False),
        ("(a", False),
    ],
)
def test_patterns_end(pattern: str, safe: bool) -> None:
    assert (pattern_fault(pattern) is None) == safe


PATHS = st.sampled_from([f"a{extension}" for extension in TABLE.ambiguous] + ["a", "b/C.H", "x.unknown", "Makefile"])
PIECES = st.sampled_from(
    [
        "#",
        "#!",
        "#!/bin/sh",
        "exec",
        '"$0"',
        "#if",
        "#ifdef __cplusplus",
        "#else",
        "#endif",
        "-*-",
        "mode:",
        "vim:",
        "ft=",
        "/*",
        "*/",
        "//",
        '"',
        "::",
        ":-",
        "@end",
        "<?xml",
        "a(b).",
        "class A {",
        "é",
        "\n",
        "\r\n",
        " ",
        "\ud800",
    ]
)


@settings(max_examples=300, deadline=None)
@given(PATHS, st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text()))
@example("a.h", "#endif\n#else\n")
@example("a", "#!" + "/" * 3000)
def test_any_text_has_one_language_or_none(path: str, text: str) -> None:
    found = detect(path, text, TABLE)
    assert found.language is None or found.language in TABLE
    assert found.by is not None or found.language is None
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    assert detect(path, unix, TABLE) == detect(path, unix.replace("\n", "\r\n"), TABLE) == found


@pytest.mark.parametrize("piece", ["\n", " ", "a", "(", "#if 1\n", "-*-", "a::", "\t\n", "a = ", "[", '"', "class "])
@pytest.mark.parametrize("extension", list(TABLE.ambiguous))
def test_only_the_beginning_of_a_long_text_is_looked_at(extension: str, piece: str) -> None:
    # A rule that went back over the text would never end here.
    start = piece * (60_000 // len(piece))
    assert detect(f"a{extension}", start, TABLE) == detect(f"a{extension}", start + "\n" * 10 + piece, TABLE)
    assert detect(f"a{extension}", start + "\nclass A {};\n" + "\n" * 10, TABLE).by != "shebang"
