"""Reports: one frozen value (`model`) and its renderings (`terminal`, `json`)."""
