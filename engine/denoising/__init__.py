"""Methods against noise, beside each other: on one scan (`single`), and on many over more and more noise (`curves`)."""
