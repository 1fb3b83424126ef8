"""What a workflow is: model, YAML loading, validation, templates, expressions. No I/O, no clock."""
