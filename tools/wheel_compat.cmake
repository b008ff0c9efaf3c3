# For builds against the ros-* wheels of PyPI only; a ROS installation does not need it.
# Given as -DCMAKE_PROJECT_INCLUDE=, so that CMakeLists.txt stays an ordinary one. It acts once
# CMakeLists.txt has been read, and before anything is generated.
function(actseg_mend_include_folders)
  # The imported targets in those wheels list Python's include folder of the container that built
  # them. It is not on this machine, and CMake stops at an imported target with a missing include
  # folder. Python's own headers are not lost by taking it out: they come from FindPython3.
  get_directory_property(imported IMPORTED_TARGETS)
  foreach(target ${imported})
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders)
      set(present ${folders})
      foreach(folder ${folders})
        # A generator expression is no path yet; leave it alone.
        if(IS_ABSOLUTE "${folder}" AND NOT EXISTS "${folder}")
          list(REMOVE_ITEM present "${folder}")
        endif()
      endforeach()
      set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${present}")
    endif()
  endforeach()

  # The headers of Python and NumPy that the build uses: in .venv, which is in the source folder,
  # where CMake refuses to export them, or in pip's build environment, which is gone when another
  # package reads the export. Nobody else needs them: they are for the build.
  get_directory_property(built BUILDSYSTEM_TARGETS)
  foreach(target ${built})
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    set(mended "")
    foreach(folder ${folders})
      if(IS_ABSOLUTE "${folder}")
        set(folder "$<BUILD_INTERFACE:${folder}>")
      endif()
      list(APPEND mended "${folder}")
    endforeach()
    if(mended)
      set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${mended}")
    endif()
  endforeach()
endfunction()

cmake_language(DEFER CALL actseg_mend_include_folders)
