"""From the files of one commit to zones, keys and findings; pure: files and blobs come in as arguments."""
