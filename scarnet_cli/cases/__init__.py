"""Labelled cases for training and evaluation: files, label values, folds."""
