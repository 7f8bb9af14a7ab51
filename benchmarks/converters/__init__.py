"""Our checkpoint reader's weights in the forms that other engines want."""
