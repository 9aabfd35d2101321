"""The image store: where originals, crops of their faces and videos are kept, in a folder or a bucket."""
