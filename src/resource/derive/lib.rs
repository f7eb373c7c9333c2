//! Derives of the resource vocabulary; see `tollgate_resource` for what each means.
