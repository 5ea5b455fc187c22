"""The bond engine: debt service, coverage, stress, versions and checks of a project's special bonds and loans.

Pure and exact: plain dataclasses in, plain dataclasses out, `Decimal` throughout, no rounding, no clock. One engine serves the command
line, the pages, the documents and the benches.

    plan, faults = read(document, rules)          a JSON document as typed terms, with every fault at once
    found = statement(plan)                       flows, yearly debt service, rows, coverage in every denominator
    checks = check_plan(found, rules)             the identities and bounds an offering file must keep
    grid(plan, Factor.REVENUE, steps, Factor.RATE, steps), break_even(…), head_room(…), compare({Version.PLAN: plan, …})
"""
