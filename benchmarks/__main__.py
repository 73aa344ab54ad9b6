"""Print and keep all tables."""

from benchmarks import call, codec, conferences, imports

imports.main()
codec.main()
call.main()
conferences.main()
