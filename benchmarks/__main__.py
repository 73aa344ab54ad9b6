"""Print and keep all tables."""

from benchmarks import call, codec, imports

imports.main()
codec.main()
call.main()
