"""Subtitles for any video, made on your own machine by Whisper on OpenVINO."""
