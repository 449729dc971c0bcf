# SPDX-License-Identifier: Apache-2.0
# Compiler settings of CONVENTIONS.md, as two interface libraries: ag_hosted and ag_device.

set(AG_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith
    -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wimplicit-fallthrough -Wdouble-promotion -fno-common -Werror)

# Hosted programs: the Linux port, the hub, the command line, tests.
add_library(ag_hosted INTERFACE)
target_compile_options(ag_hosted INTERFACE ${AG_WARNINGS})
target_compile_definitions(ag_hosted INTERFACE _GNU_SOURCE)
target_include_directories(ag_hosted INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})

# Device code: freestanding C11, every implicit conversion an error.
add_library(ag_device INTERFACE)
target_compile_options(ag_device INTERFACE ${AG_WARNINGS} -Wconversion -Wsign-conversion)
target_include_directories(ag_device INTERFACE ${PROJECT_SOURCE_DIR}/src)

set(AG_SANITIZERS address,undefined CACHE STRING "What AG_SANITIZE turns on")
if(AG_SANITIZE)
    set(sanitizers -fsanitize=${AG_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_compile_options(${sanitizers})
    add_link_options(${sanitizers})
elseif(AG_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
elseif(NOT AG_FIRMWARE)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE)
    add_link_options(-pie -Wl,-z,relro,-z,now)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        add_compile_definitions(_FORTIFY_SOURCE=2)
    endif()
endif()

if(AG_FIRMWARE)
    # -fbuiltin: a memcpy of four bytes is one instruction, not a call, in a freestanding build too.
    add_compile_options(-Os -ffunction-sections -fdata-sections -fstack-usage -fcallgraph-info=su -ffreestanding
                        -fbuiltin)
    add_link_options(-Wl,--gc-sections)
endif()

# ag_add_module(NAME FILE...): one folder of src/ as a static library, linked by its folder's name.
function(ag_add_module name)
    add_library(ag_${name} STATIC ${ARGN})
    target_link_libraries(ag_${name} PRIVATE ag_device)
    target_include_directories(ag_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
endfunction()

# ag_add_test(NAME LIBRARIES...): test/unit/.../NAME.c, a program that prints TAP lines.
# Extra sources may follow the word SOURCES.
function(ag_add_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
    add_executable(${name} ${name}.c ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/test/harness.c)
    target_link_libraries(${name} PRIVATE ag_hosted ${ARG_UNPARSED_ARGUMENTS})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
