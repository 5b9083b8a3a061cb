"""The client of the TensorPix API: HTTP, rate limit, wire models, parsing, redaction. It knows no database."""
