"""Stack traces as programs print them, between other lines."""

import pytest

CHAINED = b"""\
Traceback (most recent call last):
  File "/srv/app/store.py", line 31, in get
    return self.rows[key]
           ~~~~~~~~~^^^^^
KeyError: 'user'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/web.py", line 12, in handle
    user = store.get("user")
  File "/srv/app/store.py", line 33, in get
    raise Missing(key) from None
app.errors.Missing

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/web.py", line 14, in handle
    raise HTTPError(404) from error
HTTPError: 404
"""
RECURSION = b"""\
Traceback (most recent call last):
  File "<stdin>", line 1, in f
  File "<stdin>", line 1, in f
  [Previous line repeated 996 more times]
RecursionError: maximum recursion depth exceeded
"""
INTERRUPT = b"""\
Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in <module>
    time.sleep(60)
KeyboardInterrupt
"""
GROUPS = b"""\
Traceback (most recent call last):
  File "g.py", line 3, in f
    raise ValueError(1)
ValueError: 1

During handling of the above exception, another exception occurred:

  + Exception Group Traceback (most recent call last):
  |   File "g.py", line 5, in f
  |     raise ExceptionGroup("eg", [ValueError(2), TypeError("t")])
  | ExceptionGroup: eg (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 2
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "g.py", line 9, in <module>
    | TypeError: t
    +------------------------------------

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "g.py", line 8, in f
    raise RuntimeError("end") from y
RuntimeError: end
"""
GROUP = b"""\
  + Exception Group Traceback (most recent call last):
  |   File "g.py", line 14, in <module>
  | ExceptionGroup: eg (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: multi
    | line
    +------------------------------------
"""
REMOTE = b'''\
Traceback (most recent call last):
  File "/usr/lib/python3.11/multiprocessing/pool.py", line 125, in worker
    result = (True, func(*args, **kwds))
ValueError: 1
"""

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/tmp/mp.py", line 4, in <module>
    with m.Pool(1) as p: p.map(f,[1])
ValueError: 1
'''
SYNTAX = b"""\
Traceback (most recent call last):
  File "<string>", line 1, in <module>
  File "/tmp/s.py", line 1
    foo(
       ^
SyntaxError: '(' was never closed
"""
SYNTAX_ALONE = b"""\
  File "/tmp/s.py", line 1
    foo(
       ^
SyntaxError: '(' was never closed
"""
INDENTED = b"""\
    Traceback (most recent call last):
      File "x.py", line 1, in f
    OSError: a

    During handling of the above exception, another exception occurred:

    Traceback (most recent call last):
      File "x.py", line 3, in f
    OSError: b
"""
CUT_OFF = b"""\
Traceback (most recent call last):
  File "x.py", line 1, in f
2026-11-29 INFO went on
"""

NESTED_JAVA = b"""\
java.lang.Exception: top
\tat T.main(T.java:3)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
Caused by: java.lang.RuntimeException: outer
\t... 8 more
\tSuppressed: java.io.IOException: close
\t\tat T.close(T.java:9)
\t\t... 8 more
\tCaused by: java.io.IOException: inner
\t\t... 9 more
Caused by: java.lang.IllegalStateException: deep
\tat T.f(T.java:2)
\t... 8 more
Caused by: [CIRCULAR REFERENCE: java.lang.Exception: top]
"""
CIRCULAR_JAVA = b"""\
Exception in thread "main" java.lang.Error: x
\tat T.main(T.java:3)
\t[CIRCULAR REFERENCE:java.lang.Error: x]
"""
LOGBACK = b"""\
12:00:01.123 [main] ERROR c.e.App - failed
"""
LOGBACK_TRACE = b"""\
java.io.IOException: disk
\tat com.example.Disk.read(Disk.java:10) ~[app-1.0.jar:1.0]
\tat com.example.App$Inner.lambda$run$0(App.java:22) [app-1.0.jar:na]
Wrapped by: com.example.AppException: no data
\t... 3 common frames omitted
\t... suppressed 17 lines
"""
KOTLIN = b"""\
kotlin.NotImplementedError: An operation is not implemented.
\tat com.example.ServiceKt$load$2.invokeSuspend(Service.kt:14)
\t(Coroutine boundary)
\tat com.example.ServiceKt.main(Service.kt:20)
"""
REACTOR = b"""\
java.lang.RuntimeException: no
\tat com.example.Api.call(Api.scala:7)
\tSuppressed: reactor.core.publisher.FluxOnAssembly$OnAssemblyException:\x20
Error has been observed at the following site(s):
\t*__checkpoint \xe2\x87\xa2 Handler com.example.Api#call [DispatcherHandler]
\t|_ checkpoint \xe2\x87\xa2 HTTP GET "/"
Original Stack Trace:
\t\tat com.example.Api.call(Api.scala:7)
"""
THREAD_DUMP = b"""\
"main" #1 prio=5 os_prio=0 cpu=64.22ms tid=0x7f nid=0x1 waiting on condition
   java.lang.Thread.State: TIMED_WAITING (sleeping)
\tat java.lang.Thread.sleep(java.base@17.0.15/Native Method)
\t- locked <0x000000071a2b3c4d> (a java.lang.Object)
"""

NIL = b"""\
panic: runtime error: invalid memory address or nil pointer dereference [recovered]
\tpanic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48a3f6]

goroutine 1 [running]:
main.(*Server).handle(0xc000010000, {0x4a2b60, 0xc00001c0a8})
\t/srv/app/server.go:12 +0x1d
panic({0x45e0a0?, 0x4c2d30?})
\t/usr/local/go/src/runtime/panic.go:770 +0x132
main.Map[...](...)
\t/srv/app/map.go:7
main.main()
\t/srv/app/main.go:8 +0x1d
created by main.start in goroutine 7
\t/srv/app/main.go:30 +0x85

goroutine 18 [chan receive, 5 minutes, locked to thread]:
main.wait(0xc000024060)
\t/srv/app/wait.go:5 +0x2b
...additional frames elided...
created by main.main
\t/srv/app/main.go:10 +0x4d

goroutine 19 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.main in goroutine 1
\t/srv/app/main.go:11 +0x4d
exit status 2
"""
DEADLOCK = b"""\
fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/tmp/x.go:5 +0x2b
"""
OVERFLOW = b"""\
fatal error: stack overflow

runtime stack:
runtime.throw({0x4a3b5d?, 0x0?})
\t/usr/local/go/src/runtime/panic.go:1077 +0x5c fp=0x7ffd sp=0x7ffc pc=0x431e1c

goroutine 1 gp=0xc000002380 m=0 mp=0x5ac4e0 [running]:
main.f(0x1)
\t/tmp/x.go:3 +0x2b fp=0xc0200e1390 sp=0xc0200e1388 pc=0x457e8b
...100 frames elided...
main.main()
\t/tmp/x.go:5 +0x1d
"""
QUIT = b"""\
SIGQUIT: quit
PC=0x4644c1 m=0 sigcode=0

goroutine 0 [idle]:
runtime.futex()
\t/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21

rax    0xca
r10    0x0
rflags 0x286
exit status 2
"""
BARE_PANIC = b"panic: boom\n"
STACK = b"""\
goroutine 33 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1898 +0xbe
"""

BEFORE = b"2026-11-29 00:22:46 ERROR it failed\n"
AFTER = b"2026-11-29 00:22:47 INFO ready (again)\n"
NOISE = [b"\n", b"\tat last\n", b"{\n", b"During handling of the\n"]


def between(kind: bytes, name: str, *traces: bytes) -> object:
    """Put lines before, between and behind traces of a kind."""
    texts = [BEFORE, *(text for trace in traces for text in (trace, AFTER))]
    return pytest.param(kind, texts, id=f"{kind.decode()}-{name}")


SAMPLES = [
    between(b"python", "chained", CHAINED),
    between(b"python", "short", RECURSION, INTERRUPT),
    between(b"python", "groups", GROUPS, GROUP),
    between(b"python", "remote", REMOTE),
    between(b"python", "syntax", SYNTAX, SYNTAX_ALONE),
    between(b"python", "indented", INDENTED),
    between(b"python", "cut-off", CUT_OFF),
    pytest.param(
        b"python",
        [*NOISE, CHAINED, INTERRUPT, GROUP, SYNTAX_ALONE, CHAINED, b"\n", *NOISE],
        id="python-one-after-the-other",
    ),
    between(b"java", "nested", NESTED_JAVA),
    between(b"java", "circular", CIRCULAR_JAVA),
    between(b"java", "logback", LOGBACK, LOGBACK_TRACE),
    between(b"java", "kotlin", KOTLIN),
    between(b"java", "reactor", REACTOR),
    between(b"java", "threads", THREAD_DUMP),
    between(b"go", "nil", NIL),
    between(b"go", "fatal", DEADLOCK, OVERFLOW),
    between(b"go", "quit", QUIT),
    between(b"go", "bare", BARE_PANIC, STACK),
    pytest.param(
        b"go",
        [b"\n", *NOISE, NIL, DEADLOCK, STACK, BARE_PANIC, BARE_PANIC, b"\n", BEFORE],
        id="go-one-after-the-other",
    ),
    pytest.param(
        b"indent",
        [BEFORE, b"a:\n  - b\n\t- c\n \n", b"\n", b"d\n", b"e\n f\n"],
        id="indent",
    ),
    pytest.param(
        b"start",
        [b"no start\nat all\n", b"2026-1\n\nx\n 2026-\n", b"[x]\n", b"[y]\nz\n"],
        id="start",
    ),
]
"""(kind, texts): each text, one or more lines, is one event."""

STRAYS = [
    b'{"error": "Traceback (most recent call last): x"}\n',
    b"see Traceback (most recent call last):\n",
    b"Traceback (most recent call last): of app\n",
    b"ValueError: x\n",
    b'  File "x.py", line 3, in f\n',
    b"  + Exception Group\n",
    b"don't panic: it works\n",
    b"panic:x\n",
    b"SIGTERM received: quit\n",
    b"goroutine 5 [running]: started\n",
    b"goroutine pool [x]:\n",
    b"main.f(0x1)\n",
    b"\t/x.go:12 +0x1d\n",
    b"created by main\n",
    b"exit status 2\n",
    b"rax    0x0\n",
    b"\n",
]
"""Lines that look like a part of a Python or Go trace, and begin none."""
