// The linker finds our __libc_start_main before that of libc (crt1.o asks for it first), so it is called with
// the program's main and can pass another one to the real one. Everything that happens before main() has then
// happened in a child as well, and nothing of main(). A program that defines the symbol itself, or is linked
// with libc before this library (-Wl,-lc), does not get this object: see quarq::child_main.
#include <dlfcn.h>

#include "processes/child_entry.hpp"

namespace quarq::processes {
namespace {

int run_child(int, char** argv, char**) {
  serve_as_child(argv);
}

}  // namespace
}  // namespace quarq::processes

extern "C" {

using main_function = int (*)(int, char**, char**);
using start_function = int (*)(main_function, int, char**, void (*)(), void (*)(), void (*)(), void*);

// Weak, so that it gives way in a static program, where there would be no next one to call.
__attribute__((weak, visibility("default"))) int __libc_start_main(main_function main, int argc, char** argv,
                                                                   void (*init)(), void (*fini)(),
                                                                   void (*rtld_fini)(), void* stack_end) {
  using namespace quarq::processes;
  const auto next = reinterpret_cast<start_function>(dlsym(RTLD_NEXT, "__libc_start_main"));
  if (next == nullptr) refuse_to_be_child("there is no __libc_start_main in libc");
  if (enter_child(argc, argv)) main = &run_child;
  return next(main, argc, argv, init, fini, rtld_fini, stack_end);
}

}  // extern "C"
