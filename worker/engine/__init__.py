"""The engine: finds faces in a picture and encodes them. The only importer of dlib and of the model runtimes."""
