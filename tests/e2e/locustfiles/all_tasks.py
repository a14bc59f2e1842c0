"""How users choose their tasks, wait, and leave."""

from together import classes_of

globals().update(
    classes_of(
        "tasks/weights_as_dict.py",
        "tasks/nested_task_sets.py",
        "tasks/sequential_task_set.py",
        "tasks/markov_task_set.py",
        "tasks/inheritance.py",
        "tasks/several_classes.py",
        "tasks/wait_times.py",
        "tasks/endings.py",
        "tasks/old_style.py",
        "tasks/made_tasks.py",
        "tasks/task_objects.py",
        "tasks/errors.py",
    )
)
