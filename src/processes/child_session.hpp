// What a child does all its life: take a call, run it, answer.
#pragma once

namespace quarq::processes {

/// Whoever starts children calls this once: it brings child_main into the program, where a static initialiser
/// has it run in place of main() in children.
void need_child_main() noexcept;

}  // namespace quarq::processes
