"""What `yuanmai decode` answers to one line: plain documents with the names that the project publishes, made of what the codecs hand out."""
