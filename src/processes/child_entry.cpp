// The linker finds our __libc_start_main before that of libc (crt1.o asks for it first), so it is called with
// the program's main and can hand another one to the real one. Everything that happens before main() has then
// happened in a child as well, and nothing of main().
#include "processes/child_entry.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quarq/errors.hpp>

namespace quarq::processes {
namespace {

// Set before any constructor runs.
using child_main_function = int (*)(std::string_view name);
constinit bool hook_ran = false;
constinit child_main_function main_of_child = nullptr;
constinit const char* child_name = "";

constexpr int exit_usage = 64;

[[noreturn]] void refuse(const char* why) {
  constexpr char who[] = "quarq: this process can't be a child of a quarq program: ";
  (void)!::write(2, who, sizeof who - 1);
  (void)!::write(2, why, std::strlen(why));
  (void)!::write(2, "\n", 1);
  _exit(exit_usage);
}

int run_child_main(int, char**, char**) {
  if (main_of_child == nullptr) refuse("it uses nothing of quarq that has children");
  return main_of_child(child_name);
}

// The parent may die at any moment, also before this line.
void die_with_parent(const char* parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pid_t expected = 0;
  std::from_chars(parent, parent + std::strlen(parent), expected);
  if (getppid() != expected) _exit(1);
}

// What a child opens must not become its standard output by chance.
void open_missing_standard_files() {
  for (int standard = 0; standard <= 2; ++standard) {
    if (fcntl(standard, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);
  }
}

bool is_child(int argc, char** argv) {
  if (argc < 2 || std::strncmp(argv[1], any_child_mark.data(), any_child_mark.size()) != 0) return false;
  if (argv[1] != child_mark || argc < 4) refuse("it was started by another version of quarq, or by hand");
  // With such a socket anybody could make it run any of its functions.
  if (getauxval(AT_SECURE) != 0) refuse("a program with special privileges (set-user-ID) has no children");
  struct stat socket{};
  if (fstat(child_socket, &socket) != 0 || !S_ISSOCK(socket.st_mode))
    refuse("its descriptor 3 is no socket: --quarq-child is not for people");
  return true;
}

}  // namespace

void set_child_main(child_main_function run) noexcept {
  main_of_child = run;
}

void check_entry() {
  if (!hook_ran)
    throw error(
        "this program can't have child processes: quarq's __libc_start_main was not called at its start. The "
        "program must be linked dynamically with glibc (not -static), it must itself be linked with quarq (a "
        "shared library that is linked with it does not suffice), and no static initialiser of a shared "
        "library "
        "may come here");
  if (getauxval(AT_SECURE) != 0)
    throw error("this program can't have child processes: it has special privileges (set-user-ID)");
}

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
  if (next == nullptr) refuse("there is no __libc_start_main in libc");
  hook_ran = true;
  if (is_child(argc, argv)) {
    die_with_parent(argv[2]);
    open_missing_standard_files();
    fcntl(child_socket, F_SETFD, FD_CLOEXEC);
    child_name = argv[3];
    main = &run_child_main;
  }
  return next(main, argc, argv, init, fini, rtld_fini, stack_end);
}

}  // extern "C"
