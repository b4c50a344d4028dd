//! Configuration in luigi.cfg and TOML, as Luigi reads it.
