"""Pictures that come with their people's names: from folders and from other systems to statements."""
