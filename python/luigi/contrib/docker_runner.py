"""Run Docker containers, through the package ``docker``.

A task has a temporary folder, which the container sees too; it lets data pass that would be too much for the container.
"""

from __future__ import annotations

import logging
import shutil
from tempfile import mkdtemp
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")

try:
    import docker
    from docker.errors import APIError, ContainerError, ImageNotFound
except ImportError:
    logger.warning("docker is not installed. DockerTask requires docker.")
    docker = None


class DockerTask(luigi.Task):
    """Runs :py:attr:`command` in a container of :py:attr:`image` and waits for its end."""

    @property
    def image(self) -> str:
        """The image; its tag is ``latest`` unless given."""
        return "alpine"

    @property
    def command(self) -> Any:
        """What to run, as a line or a list."""
        return "echo hello world"

    @property
    def name(self) -> str | None:
        """The container's name; Docker chooses one if there is none."""
        return None

    @property
    def host_config_options(self) -> dict[str, Any]:
        """Further arguments of docker-py's ``create_host_config``, such as ``device_requests`` or ``shm_size``."""
        return {}

    @property
    def container_options(self) -> dict[str, Any]:
        """Further arguments of docker-py's ``create_container``, such as ``user`` or ``ports``."""
        return {}

    @property
    def environment(self) -> Any:
        """Environment variables, as a dictionary or as a list of ``name=value``."""
        return {}

    @property
    def container_tmp_dir(self) -> str:
        """Where the container sees the temporary folder; it is told in the variable ``LUIGI_TMP_DIR`` too."""
        return "/tmp/luigi"

    @property
    def binds(self) -> Any:
        """Further folders and files that the container sees: ``<path here>:<path there>``, one or a list of them."""
        return None

    @property
    def network_mode(self) -> str:
        """The kind of network, in Docker's words."""
        return ""

    @property
    def docker_url(self) -> str | None:
        """The address of Docker's daemon; the usual one if it is ``None``."""
        return None

    @property
    def auto_remove(self) -> bool:
        """Whether the container is removed at its end, and one of the same name before its start."""
        return True

    @property
    def force_pull(self) -> bool:
        """Whether the image is fetched even if it is here."""
        return False

    @property
    def mount_tmp(self) -> bool:
        """Whether the container sees the temporary folder."""
        return True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._image = self.image if ":" in self.image else self.image + ":latest"

    # Client and folder are made when they are first wanted: a task that need not run shall neither need Docker nor
    # leave a folder behind.

    @property
    def _client(self) -> Any:
        if "_made_client" not in self.__dict__:
            # The client's other interface does not let single files be seen by a container.
            self._made_client = docker.APIClient(self.docker_url)
        return self._made_client

    @_client.setter
    def _client(self, client: Any) -> None:
        self._made_client = client

    @property
    def _host_tmp_dir(self) -> str:
        if "_made_tmp_dir" not in self.__dict__:
            # Docker on macOS lets containers see what is below /tmp, but not the usual place for temporary files.
            self._made_tmp_dir = mkdtemp(suffix=self.task_id, prefix="luigi-docker-tmp-dir-", dir="/tmp")
        return self._made_tmp_dir

    @property
    def _binds(self) -> list[str]:
        binds = ["{0}:{1}".format(self._host_tmp_dir, self.container_tmp_dir)] if self.mount_tmp else []
        more = self.binds
        return binds + ([more] if isinstance(more, str) else list(more or []))

    @property
    def _volumes(self) -> list[str]:
        """The container's side of what it sees."""
        return [bind.split(":")[1] for bind in self._binds]

    @property
    def _environment(self) -> Any:
        if isinstance(self.environment, dict):
            return {**self.environment, "LUIGI_TMP_DIR": self.container_tmp_dir}
        return [*self.environment, "LUIGI_TMP_DIR=" + self.container_tmp_dir]

    def run(self) -> None:
        """Run the container.

        :raises docker.errors.ContainerError: if it ends with a code other than zero.
        :raises docker.errors.ImageNotFound: if there is no such image.
        :raises docker.errors.APIError: if Docker refuses anything else.
        """
        try:
            self._pull_if_wanted()
            self._remove_namesake()
            self._run_container()
        finally:
            self._remove_tmp_dir()

    def _pull_if_wanted(self) -> None:
        if not self.force_pull and len(self._client.images(name=self._image)) > 0:
            return
        logger.info("Pulling docker image " + self._image)
        try:
            for line in self._client.pull(self._image, stream=True):
                # The client gives text when the daemon's answer is in one piece.
                logger.debug(line.decode("utf-8") if isinstance(line, bytes) else line)
        except APIError as error:
            _log_api_error("Error in Docker API: ", error, logging.WARNING)
            raise

    def _remove_namesake(self) -> None:
        if self.auto_remove and self.name:
            try:
                self._client.remove_container(self.name, force=True)
            except APIError as error:
                _log_api_error("Ignored error in Docker API: ", error, logging.WARNING)

    def _run_container(self) -> None:
        try:
            container = self._create_container()
            self._client.start(container["Id"])
            status = self._client.wait(container["Id"])
            # Before its version 3, docker-py gave the bare code.
            code = status["StatusCode"] if isinstance(status, dict) else status
            said = self._client.logs(container["Id"], stdout=False, stderr=True) if code != 0 else None
            if self.auto_remove:
                self._remove_container(container["Id"])
            if code != 0:
                raise ContainerError(container, code, self.command, self._image, said)
        except ContainerError as error:
            message = getattr(error, "message", None) or str(error)
            logger.error("Container " + (self.name or "") + " exited with non zero code: " + message)
            raise
        except ImageNotFound:
            logger.error("Image " + self._image + " not found")
            raise
        except APIError as error:
            _log_api_error("Error in Docker API: ", error, logging.ERROR)
            raise

    def _create_container(self) -> dict[str, Any]:
        binds = self._binds
        logger.debug("Creating image: %s command: %s volumes: %s", self._image, self.command, binds)
        host_config = self._client.create_host_config(
            binds=binds, network_mode=self.network_mode, **self.host_config_options
        )
        return self._client.create_container(
            self._image,
            command=self.command,
            name=self.name,
            environment=self._environment,
            volumes=self._volumes,
            host_config=host_config,
            **self.container_options,
        )

    def _remove_container(self, container_id: str) -> None:
        try:
            self._client.remove_container(container_id)
        except APIError:
            logger.warning("Container " + container_id + " could not be removed")

    def _remove_tmp_dir(self) -> None:
        folder = self.__dict__.pop("_made_tmp_dir", None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _log_api_error(what: str, error: Any, level: int) -> None:
    """Log Docker's explanation, if it gave one."""
    logger.log(level, what + str(error.explanation or error))
