"""Methods that climb to where intensities agree best."""
