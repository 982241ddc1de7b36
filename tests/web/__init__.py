"""A package, so that the browser is closed when its tests are done: `scope="package"` asks for one."""
