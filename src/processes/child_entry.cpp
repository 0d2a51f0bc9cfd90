#include "processes/child_entry.hpp"

#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quarq/child_main.hpp>
#include <quarq/errors.hpp>

#include "processes/child_session.hpp"
#include "processes/own_pool.hpp"

namespace quarq {
namespace processes {
namespace {

constexpr int exit_usage = 64;

// Set before any constructor runs, where there is the entry hook.
constinit bool entered = false;

// This object is in every program that can have children, by the entry hook or by child_main().
[[maybe_unused]] const bool pools_can_be_made = (set_pool_maker(&make_own_pool), true);

// The parent may die at any time, also before this line.
void die_with_parent(const char* parent) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pid_t expected = 0;
  std::from_chars(parent, parent + std::strlen(parent), expected);
  if (getppid() != expected) _exit(1);
}

// A file that a child opens must not become its standard output by chance.
void open_missing_standard_files() noexcept {
  for (int standard = 0; standard <= 2; ++standard) {
    if (fcntl(standard, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);
  }
}

bool is_child(int argc, char** argv) noexcept {
  if (argc < 2 || std::strncmp(argv[1], any_child_mark.data(), any_child_mark.size()) != 0) return false;
  if (argv[1] != child_mark || argc < 4)
    refuse_to_be_child("it was started by another version of quarq, or by hand");
  // Through such a socket any function of the program can be called.
  if (getauxval(AT_SECURE) != 0)
    refuse_to_be_child("a program with special privileges (set-user-ID) has no children");
  struct stat socket{};
  if (fstat(child_socket, &socket) != 0 || !S_ISSOCK(socket.st_mode))
    refuse_to_be_child("its descriptor 3 is no socket: --quarq-child is only for quarq itself");
  return true;
}

}  // namespace

void refuse_to_be_child(const char* why) noexcept {
  constexpr char who[] = "quarq: this process can't be a child of a quarq program: ";
  (void)!::write(2, who, sizeof who - 1);
  (void)!::write(2, why, std::strlen(why));
  (void)!::write(2, "\n", 1);
  _exit(exit_usage);
}

bool enter_child(int argc, char** argv) noexcept {
  entered = true;
  if (!is_child(argc, argv)) return false;
  die_with_parent(argv[2]);
  open_missing_standard_files();
  fcntl(child_socket, F_SETFD, FD_CLOEXEC);
  return true;
}

void serve_as_child(char** argv) {
  serve_parent(argv[3]);
}

void check_entry() {
  if (!entered)
    throw error(
        "this program can't have child processes: they would run its main(). The program itself must be "
        "linked "
        "with quarq::processes, dynamically and with glibc, so that quarq's __libc_start_main is called at "
        "its "
        "start; or the first line of its main() must be quarq::child_main(argc, argv). No static initialiser "
        "of a "
        "shared library may come here");
  if (getauxval(AT_SECURE) != 0)
    throw error("this program can't have child processes: it has special privileges (set-user-ID)");
}

}  // namespace processes

void child_main(int argc, char** argv) {
  if (processes::enter_child(argc, argv)) processes::serve_as_child(argv);
}

}  // namespace quarq
