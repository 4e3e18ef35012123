"""Mutation testing of the pure core: does a test fail for every small change of the code?"""
